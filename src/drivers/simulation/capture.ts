import type { Packet } from "../../netstack/packet.ts";
import { completeChecksum } from "../../netstack/segmentation/checksum-completion.ts";
import {
  LinkType,
  MICROSECOND_DIGITS,
  PacketDirection,
  type PcapngSink,
  PcapngWriter,
} from "../../wire/pcapng.ts";
import type { Channel, Endpoint } from "./channel.ts";
import type { Simulation } from "./simulation.ts";

/** A pcapng section that links of one network write to, each as an interface of its own. */
export class LinkCapture {
  readonly writer: PcapngWriter;

  constructor(sink: PcapngSink) {
    this.writer = new PcapngWriter(sink, "millrace simulation");
  }
}

interface Open {
  readonly writer: PcapngWriter;
  readonly id: number;
}

/** The captures of one link. Times are virtual, counted from the simulation's zero. */
export class LinkCaptures {
  readonly #simulation: Simulation;
  readonly #forward: Channel;
  readonly #backward: Channel;
  readonly #end: Endpoint;
  readonly #open: Open[] = [];
  #watching = false;

  constructor(simulation: Simulation, forward: Channel, backward: Channel, end: Endpoint) {
    this.#simulation = simulation;
    this.#forward = forward;
    this.#backward = backward;
    this.#end = end;
  }

  add(capture: LinkCapture): () => void {
    const { writer } = capture;
    const id = writer.addInterface({
      name: this.#end.name,
      linkType: this.#end.medium === "ip" ? LinkType.rawIp : LinkType.ethernet,
      snapLength: 0,
      timestampDigits: MICROSECOND_DIGITS,
    });
    const open: Open = { writer, id };
    this.#open.push(open);
    this.#watch();
    return () => {
      const at = this.#open.indexOf(open);
      if (at >= 0) this.#open.splice(at, 1);
    };
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#forward.watch((packet, what) => {
      if (what === "sent") this.#write(packet, PacketDirection.outbound);
    });
    this.#backward.watch((packet, what) => {
      if (what === "received") this.#write(packet, PacketDirection.inbound);
    });
  }

  /** With checksums as on a wire, where the devices leave them out. */
  #write(packet: Packet, direction: number): void {
    if (this.#open.length === 0) return;
    let whole = packet;
    if (packet.checksum === "partial") {
      whole = packet.clone();
      completeChecksum(whole);
    }
    for (const { writer, id } of this.#open) {
      writer.packet(id, this.#simulation.now(), whole.bytes, whole.start, whole.end, direction);
    }
  }
}
