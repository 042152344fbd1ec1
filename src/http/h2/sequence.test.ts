import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { latin1 } from "../../core/bytes.ts";
import { Fields } from "../fields.ts";
import { ResponseHead } from "../response-head.ts";
import { H2Code } from "./error-code.ts";
import { PREFACE } from "./frame-type.ts";
import {
  data,
  END,
  frame,
  GET,
  get,
  HEADERS_DONE,
  headers,
  ping,
  post,
  reset,
  SETTINGS,
  Victim,
  windowUpdate,
} from "./testing/frames.ts";
import { Pair } from "./testing/pair.ts";
import type { StreamLog } from "./testing/recorder.ts";

// A failing run prints the seed and the path to the counterexample.
const RUNS = { seed: 9113, numRuns: 300 };

const sizes = fc.array(
  fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }), fc.constant(5000)),
  {
    minLength: 1,
    maxLength: 40,
  },
);

const stream = fc.constantFrom(1, 3, 5, 7);
const sound = fc.oneof(
  stream.map(get),
  stream.map(post),
  fc
    .tuple(stream, fc.nat(300), fc.constantFrom(0, END))
    .map(([id, n, flags]) => data(id, n, flags)),
  fc
    .tuple(stream, fc.nat(9), fc.nat(30))
    .map(([id, pad, n]) => frame(0, 8, id, [pad, ...Array<number>(n + pad).fill(7)])),
  fc.tuple(stream, fc.nat(60)).map(([id, cut]) => {
    const whole = headers(id, [...GET, ["x-long", "y".repeat(60)]], 0).subarray(9);
    return Buffer.concat([
      frame(1, END, id, whole.subarray(0, cut)),
      frame(9, HEADERS_DONE, id, whole.subarray(cut)),
    ]);
  }),
  stream.map((id) => headers(id, [["x-trailer", "z"]], END | HEADERS_DONE)),
  stream.map((id) => reset(id)),
  fc.tuple(stream, fc.nat(100)).map(([id, n]) => windowUpdate(id, n)),
  fc.constant(ping()),
  fc.constant(SETTINGS),
  fc.constant(frame(99, 1, 0, [1, 2, 3])),
);
const garbage = fc
  .tuple(fc.nat(16), fc.nat(255), fc.nat(8), fc.uint8Array({ maxLength: 30 }))
  .map(([type, flags, id, payload]) => frame(type, flags, id, payload));
const frames = fc.array(
  fc.oneof({ weight: 6, arbitrary: sound }, { weight: 1, arbitrary: garbage }),
  {
    maxLength: 25,
  },
);

/** All that a server made of an input in pieces of the given sizes. */
function transcript(input: Buffer, pieces: readonly number[]): unknown {
  const victim = new Victim("server", { streamWindow: 2000 });
  for (let at = 0, i = 0; at < input.length; i++) {
    const to = Math.min(input.length, at + (pieces[i % pieces.length] ?? input.length));
    victim.hear(input.subarray(at, to));
    at = to;
  }
  const { log } = victim;
  const streams = log.streams.map(({ events, body }) => ({ events, body: body.length }));
  return { streams, said: victim.said(), failure: log.failure?.reason ?? null };
}

describe("any input", () => {
  it("cut anywhere: the same events and the same answers", () => {
    fc.assert(
      fc.property(frames, sizes, (all, pieces) => {
        const input = Buffer.concat([Buffer.from(PREFACE), SETTINGS, ...all]);
        expect(transcript(input, pieces)).toEqual(transcript(input, []));
      }),
      RUNS,
    );
  });

  it("garbage: never throws, whichever role hears it", () => {
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 20 }), fc.boolean(), (all, asClient) => {
        const victim = asClient ? new Victim("client").hear(SETTINGS) : Victim.ready();
        victim.hear(...all);
      }),
      RUNS,
    );
  });
});

type Operation =
  | {
      readonly kind: "request" | "send" | "end" | "cancel" | "consume" | "move";
      readonly n: number;
    }
  | { readonly kind: "respond" | "answer" | "finish" | "refuse" | "stop"; readonly n: number }
  | { readonly kind: "full"; readonly n: number };

const kinds: Operation["kind"][] = [
  ...(["request", "request", "send", "send", "end", "cancel", "consume", "move", "move"] as const),
  ...(["respond", "answer", "answer", "finish", "finish", "refuse", "full"] as const),
];
const operations = fc.array(fc.record({ kind: fc.constantFrom(...kinds), n: fc.nat(10_000) }), {
  minLength: 30,
  maxLength: 120,
});

/** What one side has said on a stream, and what the other must have heard of it in the end. */
interface Exchange {
  readonly client: StreamLog;
  sent: string;
  sentEnd: boolean;
  answered: string;
  responded: boolean;
  finished: boolean;
  broken: boolean;
}

/** Drives a pair by operations, and checks that what is sent is what is heard. */
class Model {
  readonly pair = new Pair({
    streamWindow: 70_000,
    connectionWindow: 65_535,
    concurrentStreams: 6,
  });
  readonly all: Exchange[] = [];
  readonly #sizes: readonly number[];

  constructor(pieces: readonly number[]) {
    this.#sizes = pieces;
    this.pair.settle();
  }

  apply({ kind, n }: Operation): void {
    const { pair } = this;
    if (kind === "request") return this.#request(n);
    if (kind === "move") return pair.settle(this.#sizes);
    if (kind === "full") return this.#full(n % 2 === 0);
    const exchange = this.all[n % Math.max(1, this.all.length)];
    if (exchange === undefined) return;
    const { client } = exchange;
    const server = this.#serverOf(exchange);
    const piece = new Uint8Array(n * 7).fill(0x61 + (n % 26));
    if (kind === "send" && !exchange.sentEnd && !exchange.broken) {
      exchange.sent += latin1(piece, 0, piece.length);
      pair.client.sendData(client.stream!, piece, 0, piece.length);
    } else if (kind === "end" && !exchange.sentEnd) {
      exchange.sentEnd = true;
      pair.client.sendEnd(client.stream!, n % 2 === 0 ? trailersOf(n) : null);
    } else if (kind === "cancel") {
      exchange.broken = true;
      pair.client.reset(client.stream!, H2Code.cancel);
    } else if (kind === "consume") this.#consume(exchange, n * 20);
    else if (server !== null) this.#serve(kind, exchange, server, piece);
  }

  #request(n: number): void {
    if (this.pair.client.available === 0) return;
    const bodiless = n % 3 === 0;
    const fields: [string, string][] = [
      [`x-${n % 40}`, `${n}`],
      ["priority", `u=${n % 8}${n % 5 ? "" : ", i"}`],
    ];
    const client = this.pair.request(`/${n}`, bodiless ? 0 : -1, fields);
    this.all.push({
      client,
      sent: "",
      sentEnd: bodiless,
      answered: "",
      responded: false,
      finished: false,
      broken: false,
    });
  }

  #serve(kind: Operation["kind"], exchange: Exchange, log: StreamLog, piece: Uint8Array): void {
    const { server } = this.pair;
    const stream = log.stream!;
    if (kind === "refuse") {
      exchange.broken = true;
      server.reset(stream, H2Code.refusedStream);
    } else if (kind === "respond" && !exchange.responded) {
      exchange.responded = true;
      server.sendHead(stream, new ResponseHead(), "chunked", -1);
    } else if (kind === "answer" && exchange.responded && !exchange.finished && !stream.closed) {
      exchange.answered += latin1(piece, 0, piece.length);
      server.sendData(stream, piece, 0, piece.length);
    } else if (kind === "finish" && exchange.responded && !exchange.finished) {
      exchange.finished = true;
      server.sendEnd(stream, null);
    }
  }

  #consume(exchange: Exchange, octets: number): void {
    const { client } = exchange;
    this.pair.client.consumed(client.stream!, Math.min(octets, client.held));
    client.held -= Math.min(octets, client.held);
    const server = this.#serverOf(exchange);
    if (server === null) return;
    this.pair.server.consumed(server.stream!, Math.min(octets, server.held));
    server.held -= Math.min(octets, server.held);
  }

  #full(full: boolean): void {
    const { pair } = this;
    pair.clientSink.full = full;
    pair.serverSink.full = full;
    if (full) return;
    pair.client.onWritable();
    pair.server.onWritable();
  }

  #serverOf({ client }: Exchange): StreamLog | null {
    const { id } = client.stream!;
    return this.pair.serverLog.streams.find(({ stream }) => stream!.id === id) ?? null;
  }

  /** Everything is ended, moved and consumed: nothing may be left, and nothing may be lost. */
  wind(): void {
    const { pair } = this;
    this.#full(false);
    for (let round = 0; round < 200; round++) {
      pair.settle(this.#sizes);
      for (const exchange of this.all) {
        this.#consume(exchange, 1e9);
        const server = this.#serverOf(exchange);
        if (!exchange.sentEnd) this.apply({ kind: "end", n: this.all.indexOf(exchange) });
        else if (server?.ended && !exchange.finished) {
          exchange.responded ||= this.#head(server);
          exchange.finished = true;
          pair.server.sendEnd(server.stream!, null);
        }
      }
      if (pair.client.openStreams + pair.server.openStreams === 0) break;
    }
    pair.settle(this.#sizes);
  }

  #head(server: StreamLog): true {
    this.pair.server.sendHead(server.stream!, new ResponseHead(), "chunked", -1);
    return true;
  }

  /** No octet of the connection's windows was lost: several of them still fit through. */
  #probe(): void {
    const { pair } = this;
    const body = new Uint8Array(200_000);
    const log = pair.request("/probe", body.length);
    pair.client.sendData(log.stream!, body, 0, body.length);
    for (let round = 0; round < 20; round++) {
      pair.settle();
      const server = pair.serverLog.streams.at(-1)!;
      pair.server.consumed(server.stream!, server.held);
      server.held = 0;
    }
    expect(pair.serverLog.streams.at(-1)!.body.length).toBe(body.length);
    expect(pair.serverLog.failure).toBeNull();
  }

  check(): void {
    const { pair } = this;
    expect([pair.clientLog.failure, pair.serverLog.failure]).toEqual([null, null]);
    expect([pair.client.openStreams, pair.server.openStreams]).toEqual([0, 0]);
    this.#probe();
    for (const exchange of this.all) {
      const { client } = exchange;
      const server = this.#serverOf(exchange);
      expect(exchange.sent.startsWith(server?.body ?? "")).toBe(true);
      expect(exchange.answered.startsWith(client.body)).toBe(true);
      if (server?.ended) expect(server.body).toBe(exchange.sent);
      if (client.ended) expect(client.body).toBe(exchange.answered);
      if (!exchange.broken) expect(client.ended || client.reset !== null).toBe(true);
    }
  }
}

function trailersOf(n: number): Fields {
  const trailers = new Fields();
  trailers.append("x-sum", String(n));
  return trailers;
}

describe("two sessions", () => {
  it("driven by random operations: what is heard is what was sent, and all of it ends", () => {
    fc.assert(
      fc.property(operations, sizes, (all, pieces) => {
        const model = new Model(pieces.map((size) => size * 50));
        for (const operation of all) model.apply(operation);
        model.wind();
        model.check();
      }),
      { ...RUNS, numRuns: 200 },
    );
  });
});
