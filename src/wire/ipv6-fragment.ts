import { hasRoom } from "./octets.ts";

/** The fragment header (RFC 8200 §4.5); read by `Ipv6Walker`. */
const NEXT_HEADER = 0;
const OFFSET_AND_MORE = 2;
const IDENTIFICATION = 4;
export const FRAGMENT_HEADER_LENGTH = 8;

export interface Ipv6FragmentRepr {
  readonly nextHeader: number;
  /** In octets, a multiple of 8, up to 65528. */
  readonly offset: number;
  readonly more: boolean;
  /** 32 bits. */
  readonly identification: number;
}

/** The fragment header at `at`, where a walker has found one. */
export function parseIpv6Fragment(dv: DataView, at: number): Ipv6FragmentRepr {
  const offsetAndMore = dv.getUint16(at + OFFSET_AND_MORE);
  return {
    nextHeader: dv.getUint8(at + NEXT_HEADER),
    offset: offsetAndMore & 0xfff8,
    more: (offsetAndMore & 1) !== 0,
    identification: dv.getUint32(at + IDENTIFICATION),
  };
}

export const ipv6FragmentLength = (): number => FRAGMENT_HEADER_LENGTH;

/** Returns the end of the header, or -1 without room. */
export function emitIpv6Fragment(repr: Ipv6FragmentRepr, dv: DataView, start: number): number {
  if (!hasRoom(dv, start, FRAGMENT_HEADER_LENGTH)) return -1;
  dv.setUint16(start + NEXT_HEADER, repr.nextHeader << 8);
  dv.setUint16(start + OFFSET_AND_MORE, (repr.offset & 0xfff8) | (repr.more ? 1 : 0));
  dv.setUint32(start + IDENTIFICATION, repr.identification);
  return start + FRAGMENT_HEADER_LENGTH;
}
