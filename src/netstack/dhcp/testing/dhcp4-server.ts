import { pseudoSumV4 } from "../../../wire/checksum.ts";
import {
  Dhcp4MessageType,
  Dhcp4Operation,
  type Dhcp4Repr,
  Dhcp4View,
  dhcp4Length,
  emitDhcp4,
  parseDhcp4,
} from "../../../wire/dhcp4.ts";
import { type Dhcp4Options, NO_DHCP4_OPTIONS } from "../../../wire/dhcp4-options.ts";
import { emitUdp, fillUdpChecksum, UdpView } from "../../../wire/udp.ts";
import { ConfiguredHost } from "../../autoconf/testing/configured-host.ts";
import { ROUTER_MAC } from "../../autoconf/testing/host.ts";
import { Ip } from "../../ip-address.ts";
import { Dhcp4Client } from "../dhcp4-client.ts";

export const SERVER = 0x0a00_0001;
export const OFFERED = 0x0a00_0064;
const { discover, request, offer, ack, nak } = Dhcp4MessageType;

/** A message of the client as it was sent. */
export interface Asked extends Dhcp4Repr {
  readonly source: string;
  readonly destination: string;
}

/** A host with a DHCP client, and a server that answers as it is told to. */
export class Dhcp4Test extends ConfiguredHost {
  readonly client: Dhcp4Client;
  /** What the client said, in order. */
  readonly asked: Asked[] = [];
  /** What the server answers. */
  answers = true;
  refuses = false;
  leaseTime = 3600;
  options: Partial<Dhcp4Options> = { subnetMask: 0xffff_ff00, routers: [SERVER] };

  constructor(settings = {}) {
    super({ ipv6: false, conflictDetection: "off", ...settings });
    const { context, iface, udp, ip, nameServers } = this;
    this.client = new Dhcp4Client(context, iface, udp, ip.routes, nameServers);
    // Nobody answers ARP here.
    iface.link.neighbors?.addStatic(Ip.v4(SERVER), ROUTER_MAC);
    this.client.start();
  }

  /** Seconds of virtual time, in which the server answers at once. */
  serve(seconds: number): void {
    this.context.pass(seconds * 1000, () => this.#answerAll());
  }

  get types(): number[] {
    return this.asked.map(({ messageType }) => messageType);
  }

  reply(
    to: Dhcp4Repr,
    messageType: number,
    options: Partial<Dhcp4Options>,
    changed: Partial<Dhcp4Repr> = {},
  ): void {
    const repr: Dhcp4Repr = {
      ...to,
      operation: Dhcp4Operation.reply,
      messageType,
      yourAddress: OFFERED,
      options: { ...NO_DHCP4_OPTIONS, ...options },
      ...changed,
    };
    const broadcast = to.clientAddress === 0;
    this.receive({
      source: "10.0.0.1",
      destination: broadcast ? "255.255.255.255" : "10.0.0.100",
      protocol: 17,
      hopLimit: 64,
      emit(view, start) {
        const header = { sourcePort: 67, destinationPort: 68, payloadLength: dhcp4Length(repr) };
        const end = emitDhcp4(repr, view, emitUdp(header, view, start));
        const pseudo = pseudoSumV4(SERVER, broadcast ? -1 : OFFERED, 17, end - start);
        fillUdpChecksum(view, start, end, pseudo);
        return end;
      },
    });
  }

  #answerAll(): void {
    for (const packet of this.sent(17)) {
      const message = messageOf(packet);
      this.asked.push({ ...message, source: packet.source, destination: packet.destination });
      if (this.answers) this.#answer(message);
    }
  }

  #answer(message: Dhcp4Repr): void {
    const granted = { ...this.options, leaseTime: this.leaseTime, serverIdentifier: SERVER };
    if (message.messageType === discover) this.reply(message, offer, granted);
    if (message.messageType !== request) return;
    if (this.refuses) this.reply(message, nak, { serverIdentifier: SERVER }, { yourAddress: 0 });
    else this.reply(message, ack, granted);
  }
}

function messageOf(packet: { view: DataView; start: number; end: number }): Dhcp4Repr {
  const udp = new UdpView();
  const view = new Dhcp4View();
  if (udp.wrap(packet.view, packet.start, packet.end) !== "ok") throw new Error("no datagram");
  if (udp.sourcePort !== 68 || udp.destinationPort !== 67) throw new Error("other ports");
  if (view.wrap(packet.view, udp.payloadStart, udp.payloadEnd) !== "ok") throw new Error("no DHCP");
  return parseDhcp4(view);
}
