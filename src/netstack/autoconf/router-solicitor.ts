import { unit } from "../../core/random.ts";
import { after, type Duration, seconds } from "../../core/time.ts";
import type { Ipv6Words } from "../../wire/ipv6-address.ts";
import { emitNdp } from "../../wire/ndp.ts";
import type { NdpOption } from "../../wire/ndp-options.ts";
import type { StackContext } from "../context.ts";
import { Deadline, randomBelow } from "../deadline.ts";
import type { Interface } from "../interface.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import { IPV6_ALL_ROUTERS, IPV6_ANY, type Ip } from "../ip-address.ts";

/** RFC 4861 §10. */
const MAX_RTR_SOLICITATION_DELAY = seconds(1);
/** RFC 7559 §2. */
const INITIAL_TIMEOUT = seconds(4);
const MAX_TIMEOUT = seconds(3_600);
const ICMPV6 = 58;

/** Asks for routers until one answers, ever more slowly (RFC 4861 §6.3.7, RFC 7559). */
export class RouterSolicitor {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #ip: IpLayer;
  readonly #deadline: Deadline;
  /** RT of RFC 8415 §15; 0 before the first one was sent. */
  #timeout = 0;

  constructor(context: StackContext, iface: Interface, ip: IpLayer) {
    this.#context = context;
    this.#iface = iface;
    this.#ip = ip;
    this.#deadline = new Deadline(context, () => this.#solicit());
  }

  get active(): boolean {
    return this.#deadline.isSet;
  }

  /** Begins anew, unless it is at it already. */
  start(): void {
    if (this.active) return;
    this.#timeout = 0;
    const delay = randomBelow(this.#context.rng, MAX_RTR_SOLICITATION_DELAY);
    this.#deadline.set(after(this.#context.now(), delay));
  }

  stop(): void {
    this.#deadline.cancel();
  }

  #solicit(): void {
    this.#send();
    // RFC 8415 §15, with RAND between -0.1 and 0.1.
    const random = 0.2 * unit(this.#context.rng) - 0.1;
    const next = this.#timeout === 0 ? INITIAL_TIMEOUT : 2 * this.#timeout;
    const base = this.#timeout === 0 ? INITIAL_TIMEOUT : this.#timeout;
    const timeout = next + random * base;
    this.#timeout = Math.trunc(timeout > MAX_TIMEOUT ? MAX_TIMEOUT * (1 + random) : timeout);
    this.#deadline.set(after(this.#context.now(), this.#timeout as Duration));
  }

  #send(): void {
    const { addresses, device } = this.#iface;
    const own = addresses.all.find(
      ({ ip, assigned }) => assigned && ip.version === 6 && ip.isLinkLocal,
    );
    const source = own?.ip ?? IPV6_ANY;
    // RFC 4861 §4.1: no link address from the unspecified address.
    const named = own !== undefined && device.medium === "ethernet";
    const options: NdpOption[] = named ? [{ kind: "source-link-layer", mac: device.mac }] : [];
    const packet = this.#ip.scratch();
    const repr = { kind: "router-solicitation", options } as const;
    packet.end = emitNdp(
      repr,
      packet.view,
      packet.start,
      wordsOf(source),
      wordsOf(IPV6_ALL_ROUTERS),
    );
    this.#ip.sendOn(this.#iface, source, IPV6_ALL_ROUTERS, packet, ICMPV6, 255, false);
  }
}

/** As the wire's reprs have them: unsigned. */
const wordsOf = ({ w0, w1, w2, w3 }: Ip): Ipv6Words => [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
