import { checksum16, pseudoSumWords, verifies } from "./checksum.ts";
import { IpProtocol } from "./ip-protocol.ts";
import type { Ipv6Words } from "./ipv6-address.ts";
import { copyOctets, hasRoom, NO_DATA, writeOctets } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** ICMPv6 (RFC 4443). Neighbour discovery is in ndp.ts, multicast listening in mld.ts. */
const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const REST = 4;
const IDENTIFIER = 4;
const SEQUENCE = 6;
export const ICMPV6_HEADER_LENGTH = 8;

export const Icmpv6Type = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  listenerQuery: 130,
  listenerReport: 131,
  listenerDone: 132,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
  listenerReportV2: 143,
} as const;

/** Codes of `unreachable` (RFC 4443 §3.1). */
export const UnreachableV6 = {
  noRoute: 0,
  administrativelyProhibited: 1,
  beyondScope: 2,
  address: 3,
  port: 4,
  policy: 5,
  rejectRoute: 6,
} as const;

export class Icmpv6View {
  dv: DataView = NO_DATA;
  start = 0;
  payloadEnd = 0;

  /** The message is the whole range, which the IPv6 header and its extensions have set. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < ICMPV6_HEADER_LENGTH) return "truncated";
    this.dv = dv;
    this.start = start;
    this.payloadEnd = end;
    return "ok";
  }

  get type(): number {
    return this.dv.getUint8(this.start + TYPE);
  }

  get code(): number {
    return this.dv.getUint8(this.start + CODE);
  }

  /** RFC 4443 §2.1: types below 128 are errors. */
  get isError(): boolean {
    return this.type < 128;
  }

  /** Of echo messages. */
  get identifier(): number {
    return this.dv.getUint16(this.start + IDENTIFIER);
  }

  get sequence(): number {
    return this.dv.getUint16(this.start + SEQUENCE);
  }

  /** Octets 4 to 7: of packet too big the MTU, of a parameter problem the pointer. */
  get rest(): number {
    return this.dv.getUint32(this.start + REST);
  }

  /** Of errors: where the packet that caused them starts. */
  get payloadStart(): number {
    return this.start + ICMPV6_HEADER_LENGTH;
  }

  /** `pseudoSum` as of `Ipv6View` for protocol 58 and the length of the message (RFC 4443 §2.3). */
  checksumVerifies(pseudoSum: number): boolean {
    return verifies(this.dv, this.start, this.payloadEnd, pseudoSum);
  }

  set identifier(identifier: number) {
    this.dv.setUint16(this.start + IDENTIFIER, identifier);
  }

  set type(type: number) {
    this.dv.setUint8(this.start + TYPE, type);
  }

  fillChecksum(pseudoSum: number): void {
    this.dv.setUint16(this.start + CHECKSUM, 0);
    const checksum = checksum16(this.dv, this.start, this.payloadEnd, pseudoSum);
    this.dv.setUint16(this.start + CHECKSUM, checksum);
  }
}

/** `data` of an error is the head of the packet that caused it. */
export type Icmpv6Repr =
  | {
      readonly kind: "echo-request" | "echo-reply";
      readonly identifier: number;
      readonly sequence: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "unreachable" | "time-exceeded";
      readonly code: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: "packet-too-big"; readonly mtu: number; readonly data: Uint8Array }
  | {
      readonly kind: "parameter-problem";
      readonly code: number;
      /** An offset into the packet, 32 bits. */
      readonly pointer: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "other";
      readonly type: number;
      readonly code: number;
      /** Octets 4 to 7. */
      readonly rest: number;
      readonly data: Uint8Array;
    };

/** Null when the checksum is wrong. */
export function parseIcmpv6(view: Icmpv6View, pseudoSum: number): Icmpv6Repr | null {
  if (!view.checksumVerifies(pseudoSum)) return null;
  const { type, code, identifier, sequence, rest } = view;
  const data = copyOctets(view.dv, view.payloadStart, view.payloadEnd);
  switch (type) {
    case Icmpv6Type.echoRequest:
    case Icmpv6Type.echoReply: {
      if (code !== 0) break;
      const kind = type === Icmpv6Type.echoRequest ? "echo-request" : "echo-reply";
      return { kind, identifier, sequence, data };
    }
    case Icmpv6Type.unreachable:
      return { kind: "unreachable", code, data };
    case Icmpv6Type.timeExceeded:
      return { kind: "time-exceeded", code, data };
    case Icmpv6Type.packetTooBig:
      return { kind: "packet-too-big", mtu: rest, data };
    case Icmpv6Type.parameterProblem:
      return { kind: "parameter-problem", code, pointer: rest, data };
  }
  return { kind: "other", type, code, rest, data };
}

export const icmpv6Length = (repr: Icmpv6Repr): number => ICMPV6_HEADER_LENGTH + repr.data.length;

/** Writes the message with its checksum; returns its end, or -1 without room. */
export function emitIcmpv6(
  repr: Icmpv6Repr,
  dv: DataView,
  start: number,
  source: Ipv6Words,
  destination: Ipv6Words,
): number {
  if (!hasRoom(dv, start, icmpv6Length(repr))) return -1;
  dv.setUint8(start + TYPE, repr.kind === "other" ? repr.type : KIND_TYPES[repr.kind]);
  dv.setUint8(start + CODE, "code" in repr ? repr.code : 0);
  dv.setUint32(start + REST, restOf(repr));
  const end = writeOctets(dv, start + ICMPV6_HEADER_LENGTH, repr.data);
  fillIcmpv6(dv, start, end, source, destination);
  return end;
}

/** Puts the checksum into the message at dv[start, end) (RFC 4443 §2.3). */
export function fillIcmpv6(
  dv: DataView,
  start: number,
  end: number,
  source: Ipv6Words,
  destination: Ipv6Words,
): void {
  dv.setUint16(start + CHECKSUM, 0);
  const pseudo = pseudoSumWords(source, destination, IpProtocol.icmpv6, end - start);
  dv.setUint16(start + CHECKSUM, checksum16(dv, start, end, pseudo));
}

const KIND_TYPES = {
  "echo-request": Icmpv6Type.echoRequest,
  "echo-reply": Icmpv6Type.echoReply,
  unreachable: Icmpv6Type.unreachable,
  "time-exceeded": Icmpv6Type.timeExceeded,
  "packet-too-big": Icmpv6Type.packetTooBig,
  "parameter-problem": Icmpv6Type.parameterProblem,
} as const;

function restOf(repr: Icmpv6Repr): number {
  switch (repr.kind) {
    case "echo-request":
    case "echo-reply":
      return repr.identifier * 0x1_0000 + repr.sequence;
    case "packet-too-big":
      return repr.mtu;
    case "parameter-problem":
      return repr.pointer;
    case "other":
      return repr.rest;
    case "unreachable":
    case "time-exceeded":
      return 0;
  }
}
