import { EtherType } from "./ethernet.ts";
import { MAC_LENGTH, type Mac, readMac, writeMac } from "./mac.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** ARP for IPv4 on Ethernet (RFC 826). */
const HARDWARE = 0;
const PROTOCOL = 2;
const HARDWARE_LENGTH = 4;
const PROTOCOL_LENGTH = 5;
const OPERATION = 6;
const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;
export const ARP_LENGTH = 28;

const HARDWARE_ETHERNET = 1;
const IPV4_LENGTH = 4;

/** Those of IANA's "Operation Codes" that matter here; others stay numbers. */
export const ArpOperation = { request: 1, reply: 2 } as const;

export class ArpView {
  dv: DataView = NO_DATA;
  start = 0;

  /** Octets after the packet (a frame's padding) are left alone. Other hardware is `unsupported`. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < SENDER_MAC) return "truncated";
    if (
      dv.getUint16(start + HARDWARE) !== HARDWARE_ETHERNET ||
      dv.getUint16(start + PROTOCOL) !== EtherType.ipv4
    ) {
      return "unsupported";
    }
    if (
      dv.getUint8(start + HARDWARE_LENGTH) !== MAC_LENGTH ||
      dv.getUint8(start + PROTOCOL_LENGTH) !== IPV4_LENGTH
    ) {
      return "malformed";
    }
    if (end - start < ARP_LENGTH) return "truncated";
    this.dv = dv;
    this.start = start;
    return "ok";
  }

  get operation(): number {
    return this.dv.getUint16(this.start + OPERATION);
  }

  get senderMac(): Mac {
    return readMac(this.dv, this.start + SENDER_MAC);
  }

  get senderIp(): number {
    return this.dv.getUint32(this.start + SENDER_IP);
  }

  get targetMac(): Mac {
    return readMac(this.dv, this.start + TARGET_MAC);
  }

  get targetIp(): number {
    return this.dv.getUint32(this.start + TARGET_IP);
  }
}

export interface ArpRepr {
  readonly operation: number;
  readonly senderMac: Mac;
  /** Unsigned 32 bits, as all IPv4 addresses here. */
  readonly senderIp: number;
  /** Zero in a request (RFC 826 leaves it open; RFC 5227 §1.1 asks for zero in a probe). */
  readonly targetMac: Mac;
  readonly targetIp: number;
}

export function parseArp(view: ArpView): ArpRepr {
  return {
    operation: view.operation,
    senderMac: view.senderMac,
    senderIp: view.senderIp,
    targetMac: view.targetMac,
    targetIp: view.targetIp,
  };
}

export const arpLength = (): number => ARP_LENGTH;

/** Returns the end of the packet, or -1 without room. The frame is for the driver to pad. */
export function emitArp(repr: ArpRepr, dv: DataView, start: number): number {
  if (!hasRoom(dv, start, ARP_LENGTH)) return -1;
  dv.setUint16(start + HARDWARE, HARDWARE_ETHERNET);
  dv.setUint16(start + PROTOCOL, EtherType.ipv4);
  dv.setUint8(start + HARDWARE_LENGTH, MAC_LENGTH);
  dv.setUint8(start + PROTOCOL_LENGTH, IPV4_LENGTH);
  dv.setUint16(start + OPERATION, repr.operation);
  writeMac(dv, start + SENDER_MAC, repr.senderMac);
  dv.setUint32(start + SENDER_IP, repr.senderIp);
  writeMac(dv, start + TARGET_MAC, repr.targetMac);
  dv.setUint32(start + TARGET_IP, repr.targetIp);
  return start + ARP_LENGTH;
}
