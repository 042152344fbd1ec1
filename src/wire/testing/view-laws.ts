import fc from "fast-check";
import { expect, test } from "vitest";
import type { WireStatus } from "../status.ts";

/** Any view of this folder. */
export interface AnyView {
  wrap(dv: DataView, start: number, end: number): WireStatus;
}

export interface Laws<Repr> {
  readonly seed: number;
  readonly view: () => AnyView;
  /** Valid reprs, of all kinds. */
  readonly reprs: fc.Arbitrary<Repr>;
  /** Emits a whole packet, payload and all, at `start`; returns its end or -1. */
  readonly emit: (repr: Repr, dv: DataView, start: number) => number;
  readonly length: (repr: Repr) => number;
  readonly parse: (view: never) => Repr | null;
  /** Whether any shorter range than the whole packet is refused. Default: yes. */
  readonly knowsItsEnd?: boolean;
}

const STATUSES = new Set<string>(["ok", "truncated", "malformed", "unsupported", "limit"]);

/** The laws that every view and repr keep; called inside of a `describe`. */
export function viewLaws<Repr>(laws: Laws<Repr>): void {
  const { seed, reprs } = laws;

  test("any repr, emitted and parsed, is itself again", () => {
    fc.assert(
      fc.property(reprs, fc.nat(9), (repr, at) => {
        const length = laws.length(repr);
        const dv = new DataView(new Uint8Array(length + at + 3).fill(0xa5).buffer);
        expect(laws.emit(repr, dv, at)).toBe(at + length);
        for (let i = at + length; i < dv.byteLength; i++) expect(dv.getUint8(i)).toBe(0xa5);
        for (let i = 0; i < at; i++) expect(dv.getUint8(i)).toBe(0xa5);
        const view = laws.view();
        expect(view.wrap(dv, at, at + length)).toBe("ok");
        expect(laws.parse(view as never)).toEqual(repr);
        checkPayload(view, at, at + length);
      }),
      { seed },
    );
  });

  test("any repr, without room, is not written at all", () => {
    fc.assert(
      fc.property(reprs, fc.nat(), (repr, n) => {
        const room = n % laws.length(repr);
        const bytes = new Uint8Array(room).fill(0x5a);
        expect(laws.emit(repr, new DataView(bytes.buffer), 0)).toBe(-1);
        expect(bytes.every((byte) => byte === 0x5a)).toBe(true);
      }),
      { seed },
    );
  });

  test("a packet, cut at every length, is refused or read within its range", () => {
    fc.assert(
      fc.property(reprs, (repr) => {
        const length = laws.length(repr);
        const bytes = new Uint8Array(length);
        laws.emit(repr, new DataView(bytes.buffer), 0);
        for (let cut = 0; cut < length; cut++) {
          const status = readAlike(laws.view, bytes.subarray(0, cut));
          if (laws.knowsItsEnd !== false) expect(status).not.toBe("ok");
        }
      }),
      { seed, numRuns: 40 },
    );
  });

  test("any bytes, and valid packets with a few wrong, are read within their range or refused", () => {
    const damaged = fc
      .tuple(reprs, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(12))
      .map(([repr, changes, more]) => {
        const bytes = new Uint8Array(laws.length(repr) + more);
        laws.emit(repr, new DataView(bytes.buffer), 0);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 120 }), damaged), (bytes) => {
        const status = readAlike(laws.view, bytes);
        if (status !== "ok") return;
        const view = laws.view();
        view.wrap(new DataView(bytes.slice().buffer), 0, bytes.length);
        laws.parse(view as never);
      }),
      { seed, numRuns: 400 },
    );
  });
}

/**
 * Wraps `bytes` exactly, and amid two kinds of other bytes: status and getters must not tell the
 * difference, so nothing outside is looked at, and nothing inside throws.
 */
export function readAlike(make: () => AnyView, bytes: Uint8Array): WireStatus {
  const exact = snapshot(make(), bytes, 0, 0);
  expect(STATUSES.has(exact.status)).toBe(true);
  expect(snapshot(make(), bytes, 5, 0x00)).toEqual(exact);
  expect(snapshot(make(), bytes, 5, 0xff)).toEqual(exact);
  return exact.status;
}

function snapshot(view: AnyView, bytes: Uint8Array, margin: number, fill: number) {
  const all = new Uint8Array(bytes.length + 2 * margin).fill(fill);
  all.set(bytes, margin);
  const status = view.wrap(new DataView(all.buffer), margin, margin + bytes.length);
  const read: Record<string, unknown> = {};
  if (status === "ok") {
    for (const name of gettersOf(view)) {
      const value: unknown = Reflect.get(view, name);
      if (typeof value === "object") continue;
      // Positions are told relative to the packet, so that the margin does not show.
      const isPosition = /(start|end|at)$/i.test(name) && typeof value === "number" && value >= 0;
      read[name] = isPosition ? value - margin : value;
    }
    checkPayload(view, margin, margin + bytes.length);
  }
  return { status, read };
}

function gettersOf(view: AnyView): string[] {
  const accessors = Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(view)));
  const getters = accessors.filter(([, { get }]) => get !== undefined).map(([name]) => name);
  return [...getters, ...Object.keys(view).filter((name) => name !== "dv" && name !== "start")];
}

/** Header + payload = length, and all of it inside of the range. */
function checkPayload(view: AnyView, start: number, end: number): void {
  const from: unknown = Reflect.get(view, "payloadStart");
  const to: unknown = Reflect.get(view, "payloadEnd");
  if (typeof from !== "number" || typeof to !== "number") return;
  expect(from).toBeGreaterThanOrEqual(start);
  expect(to).toBeGreaterThanOrEqual(from);
  expect(to).toBeLessThanOrEqual(end);
}
