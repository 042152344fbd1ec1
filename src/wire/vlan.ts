import { EtherType } from "./ethernet.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/**
 * VLAN tags (IEEE 802.1Q §9.6): what follows the type 0x8100 (or 0x88a8 for the outer of two, QinQ,
 * §9.5): 16 bits of control information and the type of what comes next.
 */
const CONTROL = 0;
const TYPE = 2;
export const VLAN_TAG_LENGTH = 4;

/** A service and a customer tag (IEEE 802.1Q §6.9); a third one is `limit`. */
const MAX_TAGS = 2;

export const isVlanType = (etherType: number): boolean =>
  etherType === EtherType.vlan || etherType === EtherType.serviceVlan;

/** The one or two tags between an Ethernet header and its payload. */
export class VlanView {
  dv: DataView = NO_DATA;
  start = 0;
  payloadEnd = 0;
  /** 1 or 2. */
  depth = 0;

  /** Put on the payload of a frame whose type `isVlanType`. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    let depth = 0;
    for (let at = start; ; at += VLAN_TAG_LENGTH) {
      if (end - at < VLAN_TAG_LENGTH) return "truncated";
      if (depth++ === MAX_TAGS) return "limit";
      if (!isVlanType(dv.getUint16(at + TYPE))) break;
    }
    this.dv = dv;
    this.start = start;
    this.payloadEnd = end;
    this.depth = depth;
    return "ok";
  }

  /** The identifier of the outermost tag, 0 for a tag of priority alone (IEEE 802.1Q §9.6). */
  get outerId(): number {
    return this.dv.getUint16(this.start + CONTROL) & 0x0fff;
  }

  /** That of the innermost tag: the same where there is one tag only. */
  get innerId(): number {
    return this.dv.getUint16(this.lastTagAt + CONTROL) & 0x0fff;
  }

  /** Priority code point of the outermost tag, 0 to 7. */
  get priority(): number {
    return this.dv.getUint8(this.start + CONTROL) >>> 5;
  }

  get dropEligible(): boolean {
    return (this.dv.getUint8(this.start + CONTROL) & 0x10) !== 0;
  }

  /** What the payload is. */
  get etherType(): number {
    return this.dv.getUint16(this.lastTagAt + TYPE);
  }

  get payloadStart(): number {
    return this.start + this.depth * VLAN_TAG_LENGTH;
  }

  private get lastTagAt(): number {
    return this.start + (this.depth - 1) * VLAN_TAG_LENGTH;
  }
}

export interface VlanTag {
  /** 0 to 4095. */
  readonly id: number;
  /** 0 to 7. */
  readonly priority: number;
  readonly dropEligible: boolean;
}

export interface VlanRepr {
  /** Outermost first; one or two. */
  readonly tags: readonly VlanTag[];
  /** Of the payload; no VLAN type. */
  readonly etherType: number;
}

export function parseVlan(view: VlanView): VlanRepr {
  const tags: VlanTag[] = [];
  for (let at = view.start; at < view.payloadStart; at += VLAN_TAG_LENGTH) {
    const control = view.dv.getUint16(at + CONTROL);
    tags.push({
      id: control & 0x0fff,
      priority: control >>> 13,
      dropEligible: (control & 0x1000) !== 0,
    });
  }
  return { tags, etherType: view.etherType };
}

export const vlanLength = (repr: VlanRepr): number => repr.tags.length * VLAN_TAG_LENGTH;

/** Writes the tags after an Ethernet header; returns where the payload goes, or -1 without room. */
export function emitVlan(repr: VlanRepr, dv: DataView, start: number): number {
  if (!hasRoom(dv, start, vlanLength(repr))) return -1;
  const { tags } = repr;
  for (let i = 0; i < tags.length; i++) {
    const { id, priority, dropEligible } = tags[i]!;
    const at = start + i * VLAN_TAG_LENGTH;
    dv.setUint16(at + CONTROL, (priority << 13) | (dropEligible ? 0x1000 : 0) | (id & 0x0fff));
    dv.setUint16(at + TYPE, i + 1 === tags.length ? repr.etherType : EtherType.vlan);
  }
  return start + vlanLength(repr);
}
