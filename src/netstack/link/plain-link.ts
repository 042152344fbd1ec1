import type { InterfaceAddress } from "../address-table.ts";
import type { Interface, LinkLayer, NetworkInput } from "../interface.ts";
import type { SendVerdict } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";

/** A medium without link addresses (TUN, loopback): a frame is an IP packet, nobody is asked for anything. */
export class PlainLink implements LinkLayer {
  readonly neighbors = null;
  readonly conflicts = null;
  readonly #iface: Interface;
  readonly #input: NetworkInput;

  constructor(iface: Interface, input: NetworkInput) {
    this.#iface = iface;
    this.#input = input;
    const usable = (address: InterfaceAddress): void => {
      // Nobody else can have it: there is no link to ask on (RFC 4862 §5.4 leaves such interfaces out).
      if (address.state === "tentative") iface.addresses.setState(address, "preferred");
    };
    for (const address of iface.addresses.all) usable(address);
    iface.addresses.watch({ onAddressAdded: usable });
  }

  send(_nextHop: Ip, packet: Packet): SendVerdict {
    return this.#iface.transmit(packet) ? "sent" : "full";
  }

  receive(packet: Packet): void {
    if (packet.start >= packet.end) {
      this.#iface.counters.inErrors++;
      return;
    }
    const version = packet.view.getUint8(packet.start) >>> 4;
    if (version === 4) this.#input.receiveIpv4(this.#iface, packet, false);
    else if (version === 6) this.#input.receiveIpv6(this.#iface, packet, false);
    else this.#iface.counters.inErrors++;
  }

  confirm(_nextHop: Ip): void {}

  reset(): void {}
}
