import { describe, expect, it } from "vitest";
import { type Seq, seqAdd } from "../../wire/seq.ts";
import { TcpFlag } from "../../wire/tcp.ts";
import { STATES, type StateName, stateOf, stationIn } from "./testing/states.ts";
import type { Station } from "./testing/station.ts";

const KINDS = ["SYN", "SYN+ACK", "ACK", "FIN", "RST", "data"] as const;
type Kind = (typeof KINDS)[number];
type Placement = "in window" | "out of window" | "old duplicate" | "blind attack";

/**
 * What comes of a segment: the state that follows, where it is another (`gone`: no connection is left), and
 * what is sent; `-` is neither. All but RST and SYN carry an ACK. Sources: RFC 9293 §3.10.7, RFC 5961,
 * RFC 1337, RFC 6191. Where they leave a choice, or are departed from:
 * - SYN-RECEIVED challenges a SYN in the window, as RFC 5961 §4 does later; RFC 9293 would go to LISTEN.
 * - TIME-WAIT ignores resets (RFC 1337 §3), which RFC 9293 would obey.
 * - An ACK on an old duplicate counts when what it acknowledges was sent; RFC 9293 takes such an ACK only
 *   while the window is closed, but two ends that both repeat old segments would then wait for ever.
 */
const TABLES: Readonly<Record<Placement, string>> = {
  // At RCV.NXT; an ACK is of all that was sent.
  "in window": `
                | SYN                 | SYN+ACK         | ACK         | FIN           | RST  | data
    Closed      | rst                 | rst             | rst         | rst           | -    | rst
    Listen      | SynReceived syn-ack | rst             | rst         | rst           | -    | rst
    SynSent     | SynReceived syn-ack | Established ack | -           | -             | gone | -
    SynReceived | ack                 | ack             | Established | CloseWait ack | gone | Established ack
    Established | ack                 | ack             | -           | CloseWait ack | gone | ack
    CloseWait   | ack                 | ack             | -           | -             | gone | -
    FinWait1    | ack                 | ack             | FinWait2    | TimeWait ack  | gone | FinWait2 ack
    FinWait2    | ack                 | ack             | -           | TimeWait ack  | gone | ack
    Closing     | ack                 | ack             | TimeWait    | TimeWait      | gone | TimeWait
    LastAck     | ack                 | ack             | gone        | gone          | gone | gone
    TimeWait    | ack                 | ack             | -           | -             | -    | -`,
  // 70,000 above RCV.NXT, the window being 60,000. SYN-SENT has no window yet.
  "out of window": `
                | SYN                 | SYN+ACK         | ACK         | FIN           | RST  | data
    Closed      | rst                 | rst             | rst         | rst           | -    | rst
    Listen      | SynReceived syn-ack | rst             | rst         | rst           | -    | rst
    SynSent     | SynReceived syn-ack | Established ack | -           | -             | gone | -
    SynReceived | ack                 | ack             | ack         | ack           | -    | ack
    Established | ack                 | ack             | ack         | ack           | -    | ack
    CloseWait   | ack                 | ack             | ack         | ack           | -    | ack
    FinWait1    | ack                 | ack             | ack         | ack           | -    | ack
    FinWait2    | ack                 | ack             | ack         | ack           | -    | ack
    Closing     | ack                 | ack             | ack         | ack           | -    | ack
    LastAck     | ack                 | ack             | ack         | ack           | -    | ack
    TimeWait    | SynReceived syn-ack | ack             | ack         | ack           | -    | ack`,
  // 50 below RCV.NXT.
  "old duplicate": `
                | SYN                 | SYN+ACK         | ACK         | FIN           | RST  | data
    Closed      | rst                 | rst             | rst         | rst           | -    | rst
    Listen      | SynReceived syn-ack | rst             | rst         | rst           | -    | rst
    SynSent     | SynReceived syn-ack | Established ack | -           | -             | gone | -
    SynReceived | ack                 | ack             | ack         | ack           | -    | ack
    Established | ack                 | ack             | ack         | ack           | -    | ack
    CloseWait   | ack                 | ack             | ack         | ack           | -    | ack
    FinWait1    | ack                 | ack             | FinWait2 ack | FinWait2 ack | -    | FinWait2 ack
    FinWait2    | ack                 | ack             | ack         | ack           | -    | ack
    Closing     | ack                 | ack             | TimeWait ack | TimeWait ack | -    | TimeWait ack
    LastAck     | ack                 | ack             | gone        | gone          | -    | gone
    TimeWait    | ack                 | ack             | ack         | ack           | -    | ack`,
  // 5,000 above RCV.NXT, inside the window; the ACK is of what was never sent.
  "blind attack": `
                | SYN                 | SYN+ACK         | ACK         | FIN           | RST  | data
    Closed      | rst                 | rst             | rst         | rst           | -    | rst
    Listen      | SynReceived syn-ack | rst             | rst         | rst           | -    | rst
    SynSent     | SynReceived syn-ack | rst             | rst         | rst           | -    | rst
    SynReceived | ack                 | ack             | rst         | rst           | ack  | rst
    Established | ack                 | ack             | ack         | ack           | ack  | ack
    CloseWait   | ack                 | ack             | ack         | ack           | ack  | ack
    FinWait1    | ack                 | ack             | ack         | ack           | ack  | ack
    FinWait2    | ack                 | ack             | ack         | ack           | ack  | ack
    Closing     | ack                 | ack             | ack         | ack           | ack  | ack
    LastAck     | ack                 | ack             | ack         | ack           | ack  | ack
    TimeWait    | SynReceived syn-ack | ack             | ack         | ack           | ack  | ack`,
};

const FLAGS: Readonly<Record<Kind, number>> = {
  SYN: TcpFlag.syn,
  "SYN+ACK": TcpFlag.syn | TcpFlag.ack,
  ACK: TcpFlag.ack,
  FIN: TcpFlag.fin | TcpFlag.ack,
  RST: TcpFlag.rst,
  data: TcpFlag.ack | TcpFlag.psh,
};

function sequenceOf({ next }: Station, placement: Placement): Seq {
  switch (placement) {
    case "in window":
      return next;
    case "out of window":
      return seqAdd(next, 70_000);
    case "old duplicate":
      return seqAdd(next, -50);
    case "blind attack":
      return seqAdd(next, 5_000);
    default:
      return placement satisfies never;
  }
}

function outcome(state: StateName, kind: Kind, placement: Placement): string {
  const station = stationIn(state);
  expect(stateOf(station)).toBe(state);
  const guessed = placement === "blind attack";
  const ack = seqAdd(station.ourNext, guessed ? 1_000_000 : 0);
  // In SYN-SENT there is no window yet: a RST counts by what it acknowledges.
  const flags = FLAGS[kind] | (kind === "RST" && state === "SynSent" ? TcpFlag.ack : 0);
  station.send(flags, sequenceOf(station, placement), ack, kind === "data" ? 20 : 0);
  const answers = station.sent.map(({ flags }) => nameOf(flags));
  const after = stateOf(station);
  const had = state !== "Closed" && state !== "Listen";
  const gone = had && (after === "Closed" || after === "Listen");
  const moved = after === state ? [] : [gone ? "gone" : after];
  return [...moved, ...answers].join(" ") || "-";
}

function nameOf(flags: number): string {
  if ((flags & TcpFlag.rst) !== 0) return "rst";
  if ((flags & TcpFlag.syn) !== 0) return (flags & TcpFlag.ack) !== 0 ? "syn-ack" : "syn";
  return (flags & TcpFlag.fin) !== 0 ? "fin" : "ack";
}

const cellsOf = (line: string): string[] =>
  line
    .split("|")
    .map((cell) => cell.trim())
    .filter((cell) => cell !== "");

describe.each(Object.keys(TABLES) as Placement[])("%s", (placement) => {
  const [header, ...rows] = TABLES[placement].trim().split("\n").map(cellsOf);

  it("the table has a row for each state and a column for each kind", () => {
    expect(header).toEqual(KINDS.map(String));
    expect(new Set(rows.map(([state]) => state))).toEqual(new Set(STATES));
  });

  it.each(rows.map(([state, ...cells]) => [state as StateName, cells] as const))(
    "%s",
    (state, cells) => {
      expect(KINDS.map((kind) => `${kind}: ${outcome(state, kind, placement)}`)).toEqual(
        KINDS.map((kind, column) => `${kind}: ${cells[column]}`),
      );
    },
  );
});
