import type { Inbound } from "../inbound.ts";

import type { IcmpCounters } from "../ip/counters.ts";
import type { LocalAddresses } from "../ip/local-addresses.ts";
import type { PathMtuCache } from "../ip/path-mtu.ts";
import type { Protocols } from "../ip/protocols.ts";
import type { Packet } from "../packet.ts";
import { ReceivedError } from "./received-error.ts";

/** Brings ICMP errors to the transports whose packets they quote, and believes what those confirm. */
export class ErrorReceiver {
  readonly #local: LocalAddresses;
  readonly #protocols: Protocols;
  readonly #pathMtus: PathMtuCache;
  readonly #error = new ReceivedError();

  constructor(local: LocalAddresses, protocols: Protocols, pathMtus: PathMtuCache) {
    this.#local = local;
    this.#protocols = protocols;
    this.#pathMtus = pathMtus;
  }

  /** An ICMP message of an error type, its checksum verified. */
  receive(inbound: Inbound, counters: IcmpCounters): void {
    const { payloadStart, payloadEnd } = inbound;
    const { view } = inbound.packet;
    const error = this.#error;
    const from = inbound.source();
    const read =
      inbound.version === 4
        ? error.readIpv4(view, payloadStart, payloadEnd, from)
        : error.readIpv6(view, payloadStart, payloadEnd, from);
    if (!read || !this.#believe(error, inbound.interface.mtu)) counters.inUnverified++;
  }

  /**
   * A packet of ours, packet[start, end), whose next hop does not answer. False: it is not ours, and
   * somebody else is to be told.
   */
  undeliverable(packet: Packet): boolean {
    const { view, start, end } = packet;
    if (end <= start) return true;
    const error = this.#error;
    const ipv4 = view.getUint8(start) >>> 4 === 4;
    const read = ipv4 ? error.quoteIpv4(view, start, end) : error.quoteIpv6(view, start, end);
    if (!read) return true;
    if (!this.#local.isLocal(error.source)) return false;
    error.kind = "host-unreachable";
    error.type = ipv4 ? 3 : 1;
    error.code = ipv4 ? 1 : 3;
    // The very same: by this the error is known as ours.
    error.from = error.source;
    error.mtu = 0;
    this.#protocols.tell(error);
    return true;
  }

  #believe(error: ReceivedError, linkMtu: number): boolean {
    // Whoever was not the sender cannot be meant (RFC 5927 §4.1 asks for more, which transports know).
    if (!this.#local.isLocal(error.source)) return false;
    if (!this.#protocols.tell(error)) return false;
    if (error.kind === "packet-too-big") {
      const known = this.#pathMtus.get(error.destination);
      const current = known > 0 ? known : Math.max(linkMtu, error.length);
      this.#pathMtus.lower(error.destination, error.mtu, error.length, current);
    }
    return true;
  }
}
