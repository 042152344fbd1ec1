import { IpProtocol } from "../../wire/ip-protocol.ts";
import { IPV6_HEADER_LENGTH } from "../../wire/ipv6.ts";
import { Ipv6Options, Ipv6OptionType } from "../../wire/ipv6-options.ts";
import type { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import type { IcmpErrors } from "../icmp/error-sender.ts";
import type { Inbound } from "../inbound.ts";

/** Codes of an ICMPv6 parameter problem (RFC 4443 §3.4). */
const ERRONEOUS_FIELD = 0;
const UNRECOGNIZED_OPTION = 2;

/** What options and routing headers of packets for this host ask for. */
export class ExtensionHeaders {
  readonly #errors: IcmpErrors;
  readonly #options = new Ipv6Options();

  constructor(errors: IcmpErrors) {
    this.#errors = errors;
  }

  /** False: the packet is to be dropped, and where RFC 8200 wants it so its sender was told. */
  accept(inbound: Inbound, walker: Ipv6Walker): boolean {
    if (!this.#acceptOptions(inbound, walker.hopByHopAt)) return false;
    if (!this.#acceptRouting(inbound, walker)) return false;
    return this.#acceptOptions(inbound, walker.destinationOptionsAt);
  }

  /** RFC 8200 §4.4: types that are not known are passed over when no segments are left. */
  #acceptRouting(inbound: Inbound, walker: Ipv6Walker): boolean {
    if (walker.routingAt < 0 || walker.segmentsLeft === 0) return true;
    // RFC 5095 §3 for type 0, and the same for all: this node follows none.
    const pointer = walker.routingAt + 2 - inbound.headerStart;
    this.#errors.parameterProblem(inbound, ERRONEOUS_FIELD, pointer);
    return false;
  }

  #acceptOptions(inbound: Inbound, headerAt: number): boolean {
    if (headerAt < 0) return true;
    const options = this.#options;
    options.reset(inbound.packet.view, headerAt);
    let status = options.step();
    for (; status === "ok"; status = options.step()) {
      if (options.type === Ipv6OptionType.routerAlert) continue;
      if (!this.#skip(inbound, options)) return false;
    }
    return status === "end";
  }

  /** RFC 8200 §4.2: the two highest bits say what to do with an option that is not known. */
  #skip(inbound: Inbound, options: Ipv6Options): boolean {
    const action = options.unknownAction;
    if (action === "skip") return true;
    if (action === "discard") return false;
    const pointer = options.typeAt - inbound.headerStart;
    const toGroups = action === "report";
    if (toGroups || inbound.cast === "unicast") {
      this.#errors.parameterProblem(inbound, UNRECOGNIZED_OPTION, pointer, toGroups);
    }
    return false;
  }
}

/** Where the field is that names the payload's protocol, from the start of an IPv6 packet. */
export function nextHeaderAt({ packet, headerStart, payloadStart }: Inbound): number {
  const { view } = packet;
  let field = headerStart + 6;
  let at = headerStart + IPV6_HEADER_LENGTH;
  while (at < payloadStart) {
    const type = view.getUint8(field);
    field = at;
    if (type === IpProtocol.fragment) at += 8;
    else if (type === IpProtocol.authentication) at += (view.getUint8(at + 1) + 2) * 4;
    else at += (view.getUint8(at + 1) + 1) * 8;
  }
  return field - headerStart;
}
