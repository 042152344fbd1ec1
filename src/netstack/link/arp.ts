import { ArpOperation, ArpView } from "../../wire/arp.ts";
import { isGroupMac, type Mac } from "../../wire/mac.ts";
import type { Interface } from "../interface.ts";
import { Ip, MAPPED } from "../ip-address.ts";
import type { AddressConflicts } from "./address-conflict.ts";
import type { ArpOutput } from "./arp-output.ts";
import type { FrameOutput } from "./frame-output.ts";
import type { Neighbor } from "./neighbor.ts";
import type { NeighborTable } from "./neighbor-table.ts";
import { solicitationSource } from "./solicitation-source.ts";

/**
 * ARP (RFC 826) for the addresses of an interface. It learns from requests and replies that are for
 * us, and of others only what concerns neighbours that it knows.
 */
export class Arp {
  readonly #iface: Interface;
  readonly #link: FrameOutput;
  readonly #output: ArpOutput;
  readonly #neighbors: NeighborTable;
  readonly #conflicts: AddressConflicts;
  readonly #view = new ArpView();

  constructor(
    iface: Interface,
    link: FrameOutput,
    output: ArpOutput,
    neighbors: NeighborTable,
    conflicts: AddressConflicts,
  ) {
    this.#iface = iface;
    this.#link = link;
    this.#output = output;
    this.#neighbors = neighbors;
    this.#conflicts = conflicts;
  }

  /** Asks for a neighbour; without an address of ours that could be named, nobody is asked. */
  solicit(neighbor: Neighbor, cast: "multicast" | "unicast"): void {
    const source = solicitationSource(this.#iface, neighbor);
    if (source === null) return;
    const { mac } = neighbor;
    if (cast === "unicast" && mac !== null) this.#output.request(neighbor.ip.w3, source.w3, mac);
    else this.#output.request(neighbor.ip.w3, source.w3);
  }

  /** An ARP packet at view[start, end). */
  receive(dv: DataView, start: number, end: number): void {
    const { counters, settings } = this.#iface;
    if (!settings.ipv4) {
      counters.inDiscards++;
      return;
    }
    const view = this.#view;
    if (view.wrap(dv, start, end) !== "ok") {
      counters.inErrors++;
      return;
    }
    const { senderMac } = view;
    // Nobody sends as a group; and our own frames, come back in a loop, are no conflict (RFC 5227 §2.1.1).
    if (senderMac === 0 || isGroupMac(senderMac) || senderMac === this.#link.mac) {
      counters.inDiscards++;
      return;
    }
    if (this.#conflicts.inspect(view)) return;
    this.#handle(view, senderMac);
  }

  #handle(view: ArpView, senderMac: Mac): void {
    const { operation } = view;
    if (operation !== ArpOperation.request && operation !== ArpOperation.reply) return;
    const sender = view.senderIp | 0;
    const target = view.targetIp | 0;
    const forUs = this.#isOurs(target);
    if (isStation(sender)) {
      const ip = Ip.v4(sender);
      if (!forUs) this.#neighbors.merge(ip, senderMac);
      else if (operation === ArpOperation.request) this.#neighbors.observe(ip, senderMac);
      else this.#answered(ip, senderMac);
    }
    // Probes come from 0.0.0.0 and want an answer, too (RFC 5227 §2.1.1).
    if (forUs && operation === ArpOperation.request) this.#output.reply(target, senderMac, sender);
  }

  #answered(ip: Ip, mac: Mac): void {
    const state = this.#neighbors.find(ip)?.state;
    // ARP has no flag that tells an answer: it is one when we have asked.
    const solicited = state === "incomplete" || state === "probe";
    this.#neighbors.advertise(ip, mac, solicited, true, null);
  }

  #isOurs(address: number): boolean {
    return this.#iface.addresses.findWords(0, 0, MAPPED, address)?.assigned === true;
  }
}

/** Can be one station's: not 0.0.0.0/8, loopback, multicast, reserved or broadcast (RFC 1122 §3.2.1.3). */
function isStation(address: number): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
