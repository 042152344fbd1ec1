import { type Seq, seqAdd } from "../../../wire/seq.ts";
import { emitTcp, parseTcp, TcpFlag, type TcpRepr, TcpView, tcpLength } from "../../../wire/tcp.ts";
import { NO_TCP_OPTIONS, type TcpOptions } from "../../../wire/tcp-options.ts";
import type { Pair, Sent, Side } from "./pair.ts";

export interface Forgery {
  /** Letters of F S R A P E C; "A" if left out. */
  readonly flags?: string;
  /** Offset from what the receiver expects next. */
  readonly seq?: number;
  /** Offset from what the receiver has sent (SND.NXT). */
  readonly ack?: number;
  readonly window?: number;
  readonly payload?: string;
  readonly options?: Partial<TcpOptions>;
  readonly ecn?: number;
  /** Milliseconds by which TSval lies ahead of TS.Recent; null: no option. */
  readonly timestamp?: number | null;
}

const LETTERS: Record<string, number> = {
  F: TcpFlag.fin,
  S: TcpFlag.syn,
  R: TcpFlag.rst,
  A: TcpFlag.ack,
  P: TcpFlag.psh,
  E: TcpFlag.ece,
  C: TcpFlag.cwr,
};

/** A segment for `to` that its peer did not send; returns what `to` sends at once. */
export function forge(pair: Pair, to: Side, forgery: Forgery = {}): string[] {
  const before = pair.sent.length;
  const { c } = to;
  const payload = new TextEncoder().encode(forgery.payload ?? "");
  let flags = 0;
  for (const letter of forgery.flags ?? "A") flags |= LETTERS[letter]!;
  const shift = forgery.timestamp === undefined ? 0 : forgery.timestamp;
  const stamped = c.timestamps && shift !== null;
  const repr: TcpRepr = {
    sourcePort: c.endpoints.remotePort,
    destinationPort: c.endpoints.localPort,
    sequence: seqAdd(c.rcv.nxt, forgery.seq ?? 0),
    acknowledgment: seqAdd(c.snd.nxt, forgery.ack ?? 0),
    flags,
    window: forgery.window ?? 1_000,
    urgentPointer: 0,
    options: {
      ...NO_TCP_OPTIONS,
      timestamps: stamped ? { value: (c.rcv.tsRecent + (shift ?? 0)) >>> 0, echo: 0 } : null,
      ...forgery.options,
    },
    payloadLength: payload.length,
  };
  const bytes = new Uint8Array(tcpLength(repr));
  bytes.set(payload, emitTcp(repr, new DataView(bytes.buffer), 0));
  pair.inject(to, bytes, forgery.ecn ?? 0);
  return pair.sent.slice(before).map((sent) => describeSegment(pair, sent));
}

export function reprOf(sent: Sent): TcpRepr {
  const view = new TcpView();
  view.wrap(new DataView(sent.bytes.buffer), 0, sent.bytes.length);
  return parseTcp(view);
}

/** As in "A 1:1449 ack 5": flags, then numbers counted from the initial ones, where they say something. */
export function describeSegment(pair: Pair, sent: Sent): string {
  const repr = reprOf(sent);
  const [from, to] =
    sent.from === "client" ? [pair.client, pair.server] : [pair.server, pair.client];
  const letters = Object.entries(LETTERS).filter(([, bit]) => (repr.flags & bit) !== 0);
  const flags = letters.map(([letter]) => letter).join("");
  const start = (repr.sequence - startOf(from, to)) | 0;
  const numbers = repr.payloadLength > 0 ? `${start}:${start + repr.payloadLength}` : `${start}`;
  const ack = (repr.acknowledgment - startOf(to, from)) | 0;
  return `${flags} ${numbers}${(repr.flags & TcpFlag.ack) !== 0 ? ` ack ${ack}` : ""}`;
}

/** The number of a side's SYN. */
function startOf(side: Side, peer: Side): Seq {
  if (peer.connection !== null && peer.c.rcv.nxt !== 0) return peer.c.rcv.irs;
  return side.connection === null ? (0 as Seq) : side.c.snd.una;
}

/** What has been sent since `from`, an index into `pair.sent`. */
export const sentSince = (pair: Pair, from: number): string[] =>
  pair.sent.slice(from).map((sent) => `${sent.from} ${describeSegment(pair, sent)}`);
