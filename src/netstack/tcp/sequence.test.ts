import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { type Duration, millis, seconds } from "../../core/time.ts";
import { seqAdd, seqDiff, seqGe, seqLe } from "../../wire/seq.ts";
import { Pair, type PairOptions, pattern, type Side } from "./testing/pair.ts";

/** One step of a user or of time. */
type Operation =
  | { kind: "write"; client: boolean; length: number }
  | { kind: "end" | "pause" | "resume" | "cork" | "uncork"; client: boolean }
  | { kind: "mss"; client: boolean; length: number }
  | { kind: "time"; length: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      client: fc.boolean(),
      length: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 400_000 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "pause" as const,
        "resume" as const,
        "cork" as const,
        "uncork" as const,
      ),
      client: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("mss" as const),
      client: fc.boolean(),
      length: fc.integer({ min: 500, max: 1460 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), client: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      length: fc.integer({ min: 1, max: 2_000 }),
    }),
  },
);

const faults = fc.record({
  delay: fc.integer({ min: 100, max: 200_000 }).map((n) => n as Duration),
  jitter: fc.constantFrom(0, 1_000, 30_000).map((n) => n as Duration),
  loss: fc.constantFrom(0, 0.01, 0.05, 0.2),
  duplication: fc.constantFrom(0, 0.05),
  marking: fc.constantFrom(0, 0.1),
});

const settings = fc.record({
  sack: fc.boolean(),
  timestamps: fc.boolean(),
  windowScaling: fc.boolean(),
  ecn: fc.constantFrom("on" as const, "off" as const, "passive" as const),
  noDelay: fc.boolean(),
  receiveBuffer: fc.constantFrom(3_000, 65_536, 262_144),
});

/** A wire that loses a fifth may lose the same thing many times; no patience is to run out. */
const PATIENT = {
  synRetries: 14,
  synAckRetries: 14,
  userTimeout: seconds(1e6),
  timeWait: seconds(1e6),
};

/** What has to hold after each step. */
function check(pair: Pair): void {
  for (const side of [pair.client, pair.server]) {
    const c = side.connection;
    if (c === null || c.state.kind === "Closed") continue;
    const { snd, rcv } = c;
    if (!seqLe(snd.una, snd.nxt)) throw new Error("una beyond nxt");
    if (!seqGe(rcv.edge, rcv.nxt) && !rcv.finReceived) throw new Error("nxt beyond the window");
    if (rcv.unreadBytes > rcv.limit + 65_536) throw new Error("more unread than the buffer holds");
    if (c.recovery.inFlight < 0) throw new Error("less than nothing in flight");
    if (c.recovery.inFlight > seqDiff(snd.nxt, snd.una))
      throw new Error("more in flight than sent");
    const inBuffer = seqDiff(seqAdd(snd.base, snd.queued), snd.una);
    if (inBuffer < (snd.finSent ? -1 : 0)) throw new Error("buffer behind una");
  }
}

class User {
  readonly side: Side;
  readonly written: Uint8Array[] = [];
  total = 0;
  ended = false;
  readonly #rng: SeededRng;

  constructor(side: Side, seed: number) {
    this.side = side;
    this.#rng = new SeededRng(seed);
  }

  write(length: number): void {
    if (this.ended || this.side.connection === null) return;
    const bytes = pattern(length, this.#rng);
    this.side.write(bytes);
    this.written.push(bytes);
  }

  end(): void {
    if (this.side.connection === null) return;
    this.side.c.end();
    this.ended = true;
  }
}

function perform(pair: Pair, users: readonly [User, User], operation: Operation): void {
  if (operation.kind === "time") {
    pair.settle(millis(operation.length));
    return;
  }
  const user = operation.client ? users[0] : users[1];
  const c = user.side.connection;
  if (c === null) return;
  if (operation.kind === "write") user.write(operation.length);
  else if (operation.kind === "end") user.end();
  else if (operation.kind === "pause") c.pause();
  else if (operation.kind === "resume") c.resume();
  else if (operation.kind === "mss") c.setMss(operation.length);
  else c.cork = operation.kind === "cork";
}

/** Everybody reads, everybody ends: now it has to come to an end. */
function finish(pair: Pair, users: readonly [User, User]): boolean {
  for (const user of users) {
    user.side.connection?.resume();
    user.end();
  }
  return pair.run(() => {
    check(pair);
    for (const user of users) if (!user.ended) user.end();
    return pair.client.events.includes("closed") && pair.server.events.includes("closed");
  }, PATIENT.userTimeout);
}

describe("two connections over a bad wire", () => {
  test("any operations, any faults, all bytes arrive once and in order, and both sides close", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1 << 30 }),
        faults,
        settings,
        settings,
        fc.boolean(),
        fc.boolean(),
        fc.array(operation, { maxLength: 25 }),
        (seed, wire, client, server, gso, both, operations) => {
          const options: PairOptions = {
            seed,
            wire,
            client: { ...client, ...PATIENT },
            server: { ...server, ...PATIENT },
            gso,
          };
          const pair = new Pair(options);
          pair.tracing = false;
          if (both) pair.connectBoth();
          else pair.connect();
          const users = [new User(pair.client, seed), new User(pair.server, seed + 1)] as const;
          for (const operation of operations) {
            perform(pair, users, operation);
            check(pair);
          }
          const ended = finish(pair, users);
          expect([ended, pair.client.events, pair.server.events]).toEqual([
            true,
            ["established", "end", "closed"],
            ["established", "end", "closed"],
          ]);
          expect(Buffer.compare(pair.server.bytes, Buffer.concat(users[0].written))).toBe(0);
          expect(Buffer.compare(pair.client.bytes, Buffer.concat(users[1].written))).toBe(0);
        },
      ),
      {
        seed: Number(process.env.SEQUENCE_SEED ?? 20_261_121),
        numRuns: Number(process.env.SEQUENCE_RUNS ?? 60),
      },
    );
  });
});
