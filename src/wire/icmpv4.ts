import { checksum16, verifies } from "./checksum.ts";
import { copyOctets, hasRoom, NO_DATA, writeOctets } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** ICMP (RFC 792). */
const TYPE = 0;
const CODE = 1;
const CHECKSUM = 2;
const REST = 4;
const IDENTIFIER = 4;
const SEQUENCE = 6;
const POINTER = 4;
const NEXT_HOP_MTU = 6;
export const ICMPV4_HEADER_LENGTH = 8;

export const Icmpv4Type = {
  echoReply: 0,
  unreachable: 3,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const;

/** Codes of `unreachable` (RFC 792, RFC 1122 §3.2.2.1). */
export const UnreachableV4 = {
  network: 0,
  host: 1,
  protocol: 2,
  port: 3,
  fragmentationNeeded: 4,
  administrativelyProhibited: 13,
} as const;

export class Icmpv4View {
  dv: DataView = NO_DATA;
  start = 0;
  payloadEnd = 0;

  /** The message is the whole range, which the IPv4 header has set. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < ICMPV4_HEADER_LENGTH) return "truncated";
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

  /** Whether it reports on a packet, whose head is the payload (RFC 1122 §3.2.2). */
  get isError(): boolean {
    return isErrorV4(this.type);
  }

  /** Of echo messages. */
  get identifier(): number {
    return this.dv.getUint16(this.start + IDENTIFIER);
  }

  get sequence(): number {
    return this.dv.getUint16(this.start + SEQUENCE);
  }

  /** Of `unreachable` with code 4 (RFC 1191 §4); 0 from routers older than that. */
  get nextHopMtu(): number {
    return this.dv.getUint16(this.start + NEXT_HOP_MTU);
  }

  /** Octets 4 to 7, whose meaning depends on the type. */
  get rest(): number {
    return this.dv.getUint32(this.start + REST);
  }

  /** Of errors: where the packet that caused them starts, of which at least 8 octets past its header. */
  get payloadStart(): number {
    return this.start + ICMPV4_HEADER_LENGTH;
  }

  get checksumVerifies(): boolean {
    return verifies(this.dv, this.start, this.payloadEnd);
  }

  set identifier(identifier: number) {
    this.dv.setUint16(this.start + IDENTIFIER, identifier);
  }

  /** Turns a request into the reply to it, where it lies (RFC 792, echo): `fillChecksum` is next. */
  set type(type: number) {
    this.dv.setUint8(this.start + TYPE, type);
  }

  fillChecksum(): void {
    fillIcmpv4(this.dv, this.start, this.payloadEnd);
  }
}

/** `data` of an error is the head of the packet that caused it. */
export type Icmpv4Repr =
  | {
      readonly kind: "echo-request" | "echo-reply";
      readonly identifier: number;
      readonly sequence: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "unreachable";
      readonly code: number;
      /** Where fragmentation is needed, else 0. */
      readonly nextHopMtu: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "redirect";
      readonly code: number;
      readonly gateway: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: "time-exceeded"; readonly code: number; readonly data: Uint8Array }
  | {
      readonly kind: "parameter-problem";
      readonly code: number;
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
export function parseIcmpv4(view: Icmpv4View): Icmpv4Repr | null {
  if (!view.checksumVerifies) return null;
  const { type, code, identifier, sequence, nextHopMtu, rest } = view;
  const data = copyOctets(view.dv, view.payloadStart, view.payloadEnd);
  switch (type) {
    case Icmpv4Type.echoRequest:
    case Icmpv4Type.echoReply: {
      if (code !== 0) break;
      const kind = type === Icmpv4Type.echoRequest ? "echo-request" : "echo-reply";
      return { kind, identifier, sequence, data };
    }
    case Icmpv4Type.unreachable:
      return { kind: "unreachable", code, nextHopMtu, data };
    case Icmpv4Type.redirect:
      return { kind: "redirect", code, gateway: rest, data };
    case Icmpv4Type.timeExceeded:
      return { kind: "time-exceeded", code, data };
    case Icmpv4Type.parameterProblem:
      return { kind: "parameter-problem", code, pointer: rest >>> 24, data };
  }
  return { kind: "other", type, code, rest, data };
}

export const icmpv4Length = (repr: Icmpv4Repr): number => ICMPV4_HEADER_LENGTH + repr.data.length;

/** Writes the message with its checksum; returns its end, or -1 without room. */
export function emitIcmpv4(repr: Icmpv4Repr, dv: DataView, start: number): number {
  if (!hasRoom(dv, start, icmpv4Length(repr))) return -1;
  dv.setUint8(start + TYPE, typeOf(repr));
  dv.setUint8(start + CODE, "code" in repr ? repr.code : 0);
  dv.setUint32(start + REST, 0);
  switch (repr.kind) {
    case "echo-request":
    case "echo-reply":
      dv.setUint16(start + IDENTIFIER, repr.identifier);
      dv.setUint16(start + SEQUENCE, repr.sequence);
      break;
    case "unreachable":
      dv.setUint16(start + NEXT_HOP_MTU, repr.nextHopMtu);
      break;
    case "redirect":
      dv.setUint32(start + REST, repr.gateway);
      break;
    case "parameter-problem":
      dv.setUint8(start + POINTER, repr.pointer);
      break;
    case "other":
      dv.setUint32(start + REST, repr.rest);
      break;
    case "time-exceeded":
      break;
    default:
      repr satisfies never;
  }
  const end = writeOctets(dv, start + ICMPV4_HEADER_LENGTH, repr.data);
  fillIcmpv4(dv, start, end);
  return end;
}

const KIND_TYPES = {
  "echo-request": Icmpv4Type.echoRequest,
  "echo-reply": Icmpv4Type.echoReply,
  unreachable: Icmpv4Type.unreachable,
  redirect: Icmpv4Type.redirect,
  "time-exceeded": Icmpv4Type.timeExceeded,
  "parameter-problem": Icmpv4Type.parameterProblem,
} as const;

const typeOf = (repr: Icmpv4Repr): number =>
  repr.kind === "other" ? repr.type : KIND_TYPES[repr.kind];

/** RFC 1122 §3.2.2: these, and source quench (4), are errors; no error may answer an error. */
const isErrorV4 = (type: number): boolean =>
  type === Icmpv4Type.unreachable ||
  type === Icmpv4Type.timeExceeded ||
  type === Icmpv4Type.parameterProblem ||
  type === Icmpv4Type.redirect ||
  type === 4;

function fillIcmpv4(dv: DataView, start: number, end: number): void {
  dv.setUint16(start + CHECKSUM, 0);
  dv.setUint16(start + CHECKSUM, checksum16(dv, start, end));
}
