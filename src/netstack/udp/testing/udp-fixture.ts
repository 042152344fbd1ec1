import { expect } from "vitest";
import { NetError } from "../../../core/errors.ts";
import { UdpView } from "../../../wire/udp.ts";
import { VirtualContext } from "../../fragments/testing/virtual-context.ts";
import { pseudoSumOf } from "../../icmp/pseudo-sum.ts";
import type { Cast } from "../../inbound.ts";
import type { Interface } from "../../interface.ts";
import { Ip } from "../../ip-address.ts";
import type { UdpHandler, UdpOptions } from "../endpoint.ts";
import { UdpLayer } from "../udp-layer.ts";
import type { UdpSocket } from "../udp-socket.ts";
import { inboundDatagram } from "./datagrams.ts";
import { RecordingIp, type Submitted, silentInterface } from "./recording-ip.ts";

export const ip = (text: string): Ip => Ip.parse(text)!;
export const OURS = ip("10.7.0.2");
export const OURS6 = ip("fd07::2");
export const PEER = ip("10.7.0.9");
export const PEER6 = ip("fd07::9");
export const GROUP = ip("239.1.2.3");

/** A handler that writes down what it hears. */
export class Ear implements UdpHandler {
  readonly heard: string[] = [];
  readonly errors: string[] = [];
  writable = 0;
  onMessage(bytes: Uint8Array, start: number, end: number): void {
    this.heard.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
  }
  onError(error: NetError): void {
    this.errors.push(error.code);
  }
  onWritable(): void {
    this.writable++;
  }
}

/** Those of the last `setUp`. */
export let context: VirtualContext;
export let eth: Interface;
export let below: RecordingIp;
export let udp: UdpLayer;

/** A layer without sockets above IP that records what it is given. */
export function setUp(
  limits = {},
  offload = { checksum: false, tcpV4: false, tcpV6: false, udp: false },
) {
  context = new VirtualContext(limits);
  eth = silentInterface(context, 1, offload);
  below = new RecordingIp(eth);
  udp = new UdpLayer(context, below);
}

export function open(options: UdpOptions = {}, ear: UdpHandler = new Ear()): UdpSocket {
  const socket = udp.open(options, ear);
  if (socket instanceof NetError) throw socket;
  return socket;
}

export const codeOf = (options: UdpOptions): string => {
  const socket = udp.open(options, new Ear());
  return socket instanceof NetError ? socket.code : "open";
};

export function arrive(
  text: string,
  to: Ip,
  port: number,
  more: { from?: Ip; cast?: Cast; on?: Interface; sourcePort?: number } = {},
) {
  const payload = Uint8Array.from(Buffer.from(text, "latin1"));
  const source = more.from ?? (to.version === 4 ? PEER : PEER6);
  const inbound = inboundDatagram({
    source,
    sourcePort: more.sourcePort ?? 4_000,
    destination: to,
    destinationPort: port,
    payload,
    from: more.on ?? eth,
    ...(more.cast === undefined ? {} : { cast: more.cast }),
  });
  return { inbound, deliver: () => udp.handlePacket(inbound) };
}

export const give = (...args: Parameters<typeof arrive>) => arrive(...args).deliver();
export const hello = Uint8Array.from(Buffer.from("hello"));

export function datagramOf({ packet, source, destination }: Submitted) {
  const view = new UdpView();
  expect(view.wrap(packet.view, packet.start, packet.end)).toBe("ok");
  const sums = view.checksumHolds(pseudoSumOf(source, destination, 17, view.length));
  const bytes = packet.bytes.subarray(view.payloadStart, view.payloadEnd);
  return { view, sums, text: Buffer.from(bytes).toString() };
}
