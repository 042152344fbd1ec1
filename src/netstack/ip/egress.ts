import { GsoType } from "../../wire/virtio-net.ts";
import { Fragmenter } from "../fragments/fragmentation.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import { Packet } from "../packet.ts";
import { completeChecksum, Segmenter } from "../segmentation/segmentation.ts";
import type { IpCounters } from "./counters.ts";
import type { SendVerdict } from "./ip-layer.ts";

/**
 * The last step of IP: makes of a packet with its header what the device takes. Checksums and segments
 * that were left to a device that does not do them are done here; also for packets that another device
 * has handed us so, and that are passed on.
 *
 * The packet's `start` is as before when a call returns.
 */
export class Egress {
  readonly #fragmenter = new Fragmenter();
  readonly #segmenter = new Segmenter();
  /** Of fragments and segments; made when first needed. */
  #piece: Packet | null = null;

  /** For a packet that fits. `gsoType`: its segments do. */
  send(out: Interface, nextHop: Ip, packet: Packet): SendVerdict {
    if (!out.up) return "unreachable";
    const { offload } = out.device;
    if (packet.gsoType !== GsoType.none && !(offload.checksum && cuts(out, packet.gsoType))) {
      return this.#segment(out, nextHop, packet, offload.checksum);
    }
    if (packet.checksum === "partial" && !offload.checksum && !completeChecksum(packet)) {
      out.counters.outDiscards++;
      return "sent";
    }
    const { start } = packet;
    const verdict = out.link.send(nextHop, packet);
    packet.start = start;
    return verdict;
  }

  /** For a packet that is longer than `mtu` and may be cut. */
  fragment(
    out: Interface,
    nextHop: Ip,
    packet: Packet,
    mtu: number,
    identification: number,
    counters: IpCounters,
  ): SendVerdict {
    if (!out.up) return "unreachable";
    if (!this.#fragmenter.begin(packet, mtu, identification)) {
      counters.fragmentationFailures++;
      return "too-big";
    }
    counters.fragmentedPackets++;
    this.#piece ??= Packet.allocate();
    const piece = this.#piece;
    for (let first = true; this.#fragmenter.next(piece); first = false) {
      counters.fragmentsCreated++;
      const verdict = out.link.send(nextHop, piece);
      if (verdict !== "sent") return this.#stopped(out, verdict, first);
    }
    return "sent";
  }

  #segment(out: Interface, nextHop: Ip, packet: Packet, keepPartial: boolean): SendVerdict {
    if (!this.#segmenter.begin(packet, packet.start, keepPartial)) {
      out.counters.outDiscards++;
      return "sent";
    }
    this.#piece ??= Packet.allocate();
    const piece = this.#piece;
    for (let first = true; this.#segmenter.next(piece); first = false) {
      const verdict = out.link.send(nextHop, piece);
      if (verdict !== "sent") return this.#stopped(out, verdict, first);
    }
    return "sent";
  }

  /** Once a piece has left, the rest is lost like on any link: the packet counts as sent. */
  #stopped(out: Interface, verdict: SendVerdict, first: boolean): SendVerdict {
    if (first) return verdict;
    out.counters.outDiscards++;
    return "sent";
  }
}

function cuts({ device }: Interface, gsoType: number): boolean {
  switch (gsoType & ~GsoType.ecn) {
    case GsoType.tcpV4:
      return device.offload.tcpV4;
    case GsoType.tcpV6:
      return device.offload.tcpV6;
    default:
      return device.offload.udp;
  }
}
