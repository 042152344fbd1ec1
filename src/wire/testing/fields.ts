import fc from "fast-check";
import type { Ipv6Words } from "../ipv6-address.ts";

/** Arbitrary values of the fields that many formats share. */
export const u8 = fc.nat(0xff);
export const u16 = fc.nat(0xffff);
export const u32 = fc.nat(0xffff_ffff);
export const mac = fc.nat(0xffff_ffff_ffff);
export const ipv6: fc.Arbitrary<Ipv6Words> = fc.tuple(u32, u32, u32, u32);
export const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

/** Hexadecimal digits, with any white space between them, as a DataView. */
export function hex(text: string): DataView {
  return new DataView(new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex")).buffer);
}
