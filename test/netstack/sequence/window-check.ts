import type { FrameTap, Interface, Packet } from "../../../src/netstack/public.ts";
import {
  EtherType,
  Ipv4View,
  Ipv6View,
  type Seq,
  seqAdd,
  seqGt,
  TcpView,
} from "../../../src/wire/public.ts";

/** What one end has said of how far the other may send. */
interface Side {
  /** Of its SYN; -1: none. */
  scale: number;
  edge: Seq | null;
}

/** Sees what both hosts send, and whether data go beyond what their receiver has ever allowed. */
export class WindowCheck implements FrameTap {
  readonly violations: string[] = [];
  segments = 0;
  /** By sender and receiver. */
  readonly #sides = new Map<string, Side>();
  readonly #ipv4 = new Ipv4View();
  readonly #ipv6 = new Ipv6View();
  readonly #tcp = new TcpView();

  onFrame(_from: Interface, packet: Packet, direction: "in" | "out"): void {
    if (direction === "in") return;
    const { view, start, bytes } = packet;
    const v4 = view.getUint16(start + 12) === EtherType.ipv4;
    const at = start + 14;
    if (v4) {
      if (this.#ipv4.wrap(view, at, packet.end) !== "ok" || this.#ipv4.protocol !== 6) return;
    } else if (this.#ipv6.wrap(view, at, packet.end) !== "ok" || this.#ipv6.nextHeader !== 6)
      return;
    const payload = at + (v4 ? 20 : 40);
    if (this.#tcp.wrap(view, payload, packet.end) !== "ok") {
      this.violations.push("malformed");
      return;
    }
    const [source, destination] = v4 ? [at + 12, at + 16] : [at + 8, at + 24];
    const size = v4 ? 4 : 16;
    const name = (from: number, port: number): string =>
      `${Buffer.from(bytes.subarray(from, from + size)).toString("hex")}:${port}`;
    const from = name(source, this.#tcp.sourcePort);
    const to = name(destination, this.#tcp.destinationPort);
    this.#segment(`${from}>${to}`, `${to}>${from}`);
  }

  #segment(there: string, back: string): void {
    const tcp = this.#tcp;
    this.segments++;
    if (tcp.syn) {
      this.#sides.set(there, { scale: tcp.options.windowScale, edge: null });
      if (!tcp.ack) this.#sides.delete(back);
    }
    const mine = this.#sides.get(there);
    const other = this.#sides.get(back);
    if (mine === undefined || other === undefined || tcp.rst) return;
    const scaled = mine.scale >= 0 && other.scale >= 0 && !tcp.syn;
    const edge = seqAdd(tcp.acknowledgment, tcp.window << (scaled ? mine.scale : 0));
    if (tcp.ack && (mine.edge === null || seqGt(edge, mine.edge))) mine.edge = edge;
    const end = seqAdd(tcp.sequence, tcp.sequenceLength);
    if (tcp.syn || tcp.sequenceLength === 0 || other.edge === null) return;
    if (seqGt(end, other.edge)) this.violations.push(`${there}: to ${end}, allowed ${other.edge}`);
  }
}
