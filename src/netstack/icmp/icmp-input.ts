import { Icmpv4Type, Icmpv4View } from "../../wire/icmpv4.ts";
import { Icmpv6Type, Icmpv6View } from "../../wire/icmpv6.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Inbound } from "../inbound.ts";
import type { IcmpCounters } from "../ip/counters.ts";
import type { EchoReplies } from "./echo.ts";
import type { ErrorReceiver } from "./error-receiver.ts";
import { inboundPseudoSum } from "./pseudo-sum.ts";

export type IcmpTaker = (inbound: Inbound) => void;

/** ICMP messages of both versions that are for this host (RFC 792, RFC 4443). */
export class IcmpInput {
  readonly takers4: (IcmpTaker | null)[] = new Array<IcmpTaker | null>(256).fill(null);
  readonly takers6: (IcmpTaker | null)[] = new Array<IcmpTaker | null>(256).fill(null);
  readonly #counters4: IcmpCounters;
  readonly #counters6: IcmpCounters;
  readonly #errors: ErrorReceiver;
  readonly #echo: EchoReplies;
  readonly #view4 = new Icmpv4View();
  readonly #view6 = new Icmpv6View();

  constructor(
    counters4: IcmpCounters,
    counters6: IcmpCounters,
    errors: ErrorReceiver,
    echo: EchoReplies,
  ) {
    this.#counters4 = counters4;
    this.#counters6 = counters6;
    this.#errors = errors;
    this.#echo = echo;
  }

  receiveIpv4(inbound: Inbound): void {
    const counters = this.#counters4;
    counters.inMessages++;
    const view = this.#view4;
    const { packet, payloadStart, payloadEnd } = inbound;
    const trusted = isVouchedFor(inbound);
    if (
      view.wrap(packet.view, payloadStart, payloadEnd) !== "ok" ||
      !(trusted || view.checksumVerifies)
    ) {
      counters.inErrors++;
      return;
    }
    const { type } = view;
    if (type === Icmpv4Type.echoRequest) {
      // RFC 1122 §3.2.2.6 lets a host be silent about what went to all.
      if (inbound.cast === "unicast") this.#echo.reply(inbound);
      return;
    }
    // Redirects are no errors for transports: a taker has them.
    if (view.isError && type !== Icmpv4Type.redirect) this.#errors.receive(inbound, counters);
    this.takers4[type]?.(inbound);
  }

  receiveIpv6(inbound: Inbound): void {
    const counters = this.#counters6;
    counters.inMessages++;
    const view = this.#view6;
    const { packet, payloadStart, payloadEnd } = inbound;
    const trusted = isVouchedFor(inbound);
    if (
      view.wrap(packet.view, payloadStart, payloadEnd) !== "ok" ||
      !(trusted || view.checksumVerifies(inboundPseudoSum(inbound, IpProtocol.icmpv6)))
    ) {
      counters.inErrors++;
      return;
    }
    const { type } = view;
    // RFC 4443 §4.2: what went to a group is answered, too.
    if (type === Icmpv6Type.echoRequest) this.#echo.reply(inbound);
    else {
      if (view.isError) this.#errors.receive(inbound, counters);
      this.takers6[type]?.(inbound);
    }
  }
}

/** The device vouches for the checksum, or left it out because the packet never was on a wire. */
function isVouchedFor({ packet, payloadStart, reassembled }: Inbound): boolean {
  if (reassembled) return false;
  if (packet.checksum === "verified") return true;
  return packet.checksum === "partial" && packet.checksumStart === payloadStart;
}
