import { type Mac, readMac, writeMac } from "./mac.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** Ethernet II: IEEE 802.3 §3.2.6, with the type field of RFC 894; without preamble and FCS. */
const DESTINATION = 0;
const SOURCE = 6;
const TYPE = 12;
export const ETHERNET_HEADER_LENGTH = 14;

/** Below this the field is the length of an IEEE 802.3 frame (IEEE 802.3 §3.2.6). */
const FIRST_TYPE = 0x0600;

/** Those of IANA's "IEEE 802 Numbers" that this stack knows. */
export const EtherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  ipv6: 0x86dd,
  serviceVlan: 0x88a8,
} as const;

export class EthernetView {
  dv: DataView = NO_DATA;
  start = 0;
  payloadEnd = 0;

  /** `unsupported` is a frame with a length instead of a type (802.3 with LLC). */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < ETHERNET_HEADER_LENGTH) return "truncated";
    if (dv.getUint16(start + TYPE) < FIRST_TYPE) return "unsupported";
    this.dv = dv;
    this.start = start;
    this.payloadEnd = end;
    return "ok";
  }

  get destination(): Mac {
    return readMac(this.dv, this.start + DESTINATION);
  }

  get source(): Mac {
    return readMac(this.dv, this.start + SOURCE);
  }

  get etherType(): number {
    return this.dv.getUint16(this.start + TYPE);
  }

  get payloadStart(): number {
    return this.start + ETHERNET_HEADER_LENGTH;
  }

  set destination(mac: Mac) {
    writeMac(this.dv, this.start + DESTINATION, mac);
  }

  set source(mac: Mac) {
    writeMac(this.dv, this.start + SOURCE, mac);
  }
}

export interface EthernetRepr {
  readonly destination: Mac;
  readonly source: Mac;
  /** 0x0600 or above. */
  readonly etherType: number;
}

export function parseEthernet(view: EthernetView): EthernetRepr {
  return { destination: view.destination, source: view.source, etherType: view.etherType };
}

export const ethernetLength = (): number => ETHERNET_HEADER_LENGTH;

/** Writes the header at `start`; returns where the payload goes, or -1 for want of room. */
export function emitEthernet(repr: EthernetRepr, dv: DataView, start: number): number {
  if (!hasRoom(dv, start, ETHERNET_HEADER_LENGTH)) return -1;
  writeMac(dv, start + DESTINATION, repr.destination);
  writeMac(dv, start + SOURCE, repr.source);
  dv.setUint16(start + TYPE, repr.etherType);
  return start + ETHERNET_HEADER_LENGTH;
}
