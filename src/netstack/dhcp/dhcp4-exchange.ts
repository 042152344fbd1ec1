import { type Rng, unit } from "../../core/random.ts";
import { type Duration, type Instant, seconds } from "../../core/time.ts";
import { Dhcp4MessageType, Dhcp4Operation, type Dhcp4View } from "../../wire/dhcp4.ts";
import type { Dhcp4Options } from "../../wire/dhcp4-options.ts";
import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { DhcpPort } from "./dhcp-port.ts";
import type { Dhcp4Lease } from "./dhcp4-lease.ts";
import { Dhcp4Output } from "./dhcp4-output.ts";

/** RFC 2131 §4.1: four seconds, doubled up to 64, each give or take one. */
const FIRST_TIMEOUT = 4;
const MAX_TIMEOUT = 64;
const JITTER = seconds(1);
/** From there on the timeout grows no more. */
const MOST_DOUBLINGS = 10;

/** What a client says to servers, one exchange after the other, and which answers belong to it. */
export class Dhcp4Exchange {
  /** When the last message was sent: a lease counts from there (§4.4.1). */
  askedAt: Instant;
  /** How often the same was asked, up to ten. */
  attempts = 0;
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #output: Dhcp4Output;
  readonly #rng: Rng;
  #transactionId = 0;
  #began: Instant;

  constructor(context: StackContext, iface: Interface, udp: DhcpPort) {
    this.#context = context;
    this.#iface = iface;
    this.#rng = context.rng;
    this.#output = new Dhcp4Output(iface, udp);
    this.#began = context.now();
    this.askedAt = this.#began;
  }

  /** Answers to what was asked before are void. */
  begin(): void {
    this.#transactionId = this.#rng.u32();
    this.#began = this.#context.now();
    this.attempts = 0;
  }

  isAnswer(message: Dhcp4View): boolean {
    return (
      message.operation === Dhcp4Operation.reply &&
      message.transactionId === this.#transactionId &&
      message.clientMac === this.#iface.device.mac
    );
  }

  /** `wish`: the address that we had, as a suggestion (§4.4.1). */
  discover(wish: Ip | null): void {
    const options = wish === null ? {} : { requestedAddress: wish.w3 >>> 0 };
    this.#say(Dhcp4MessageType.discover, options);
  }

  /** Takes an offer; without a server, asks for an address that we had before (§4.3.2). */
  request(address: Ip, server: Ip | null): void {
    this.#say(Dhcp4MessageType.request, {
      requestedAddress: address.w3 >>> 0,
      ...(server === null ? {} : { serverIdentifier: server.w3 >>> 0 }),
    });
  }

  /** From the address in use, to its server or to all. */
  renew(address: Ip, server: Ip | null): void {
    this.#say(Dhcp4MessageType.request, {}, address, server);
  }

  /** The address is somebody else's (§4.4.4). */
  decline({ address, server }: Dhcp4Lease): void {
    this.#say(Dhcp4MessageType.decline, {
      requestedAddress: address.ip.w3 >>> 0,
      serverIdentifier: server.w3 >>> 0,
    });
  }

  /** The address is needed no more (§4.4.6). */
  release({ address, server }: Dhcp4Lease): void {
    const options = { serverIdentifier: server.w3 >>> 0 };
    this.#say(Dhcp4MessageType.release, options, address.ip, server);
  }

  /** How long to wait for an answer to what was just asked. */
  nextTimeout(): Duration {
    const timeout = seconds(Math.min(FIRST_TIMEOUT * 2 ** this.attempts, MAX_TIMEOUT));
    this.attempts = Math.min(this.attempts + 1, MOST_DOUBLINGS);
    const jitter = (2 * unit(this.#rng) - 1) * JITTER;
    return Math.trunc(timeout + jitter) as Duration;
  }

  #say(
    type: number,
    options: Partial<Dhcp4Options>,
    from: Ip | null = null,
    to: Ip | null = null,
  ): void {
    const now = this.#context.now();
    this.askedAt = now;
    const seconds = Math.floor((now - this.#began) / 1_000_000);
    this.#output.send({ type, transactionId: this.#transactionId, seconds, from, to, options });
  }
}
