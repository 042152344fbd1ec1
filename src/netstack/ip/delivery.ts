import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { IcmpErrors } from "../icmp/error-sender.ts";
import type { IcmpInput } from "../icmp/icmp-input.ts";
import type { Inbound } from "../inbound.ts";
import type { IpCounters } from "./counters.ts";
import { nextHeaderAt } from "./extension-headers.ts";
import type { Protocols } from "./protocols.ts";

/** Hands packets for this host to their protocols. */
export class LocalDelivery {
  /** Sees each packet first; true: somebody wanted it. */
  tap: ((inbound: Inbound) => boolean) | null = null;
  readonly #protocols: Protocols;
  readonly #icmp: IcmpInput;
  readonly #errors: IcmpErrors;

  constructor(protocols: Protocols, icmp: IcmpInput, errors: IcmpErrors) {
    this.#protocols = protocols;
    this.#icmp = icmp;
    this.#errors = errors;
  }

  deliver(inbound: Inbound, counters: IpCounters): void {
    counters.inDelivers++;
    const wanted = this.tap?.(inbound) ?? false;
    const { protocol } = inbound;
    const upper = this.#protocols.uppers[protocol] ?? null;
    if (upper !== null) {
      if (upper.handlePacket(inbound) === "port-unreachable") this.#errors.portUnreachable(inbound);
    } else if (protocol === IpProtocol.icmp && inbound.version === 4) {
      this.#icmp.receiveIpv4(inbound);
    } else if (protocol === IpProtocol.icmpv6 && inbound.version === 6) {
      this.#icmp.receiveIpv6(inbound);
    } else if (!wanted) this.#refuse(inbound, counters);
  }

  /** Whether its protocol takes a packet to an address that is not ours. */
  offerUnassigned(inbound: Inbound): boolean {
    return this.#protocols.uppers[inbound.protocol]?.takeUnassigned?.(inbound) ?? false;
  }

  #refuse(inbound: Inbound, counters: IpCounters): void {
    // RFC 8200 §4.7: nothing follows, and that is no error.
    if (inbound.version === 6 && inbound.protocol === IpProtocol.noNext) return;
    counters.inUnknownProtocols++;
    this.#errors.protocolUnreachable(inbound, inbound.version === 6 ? nextHeaderAt(inbound) : 0);
  }
}
