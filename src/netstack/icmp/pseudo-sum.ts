import type { Inbound } from "../inbound.ts";
import type { Ip } from "../ip-address.ts";

/** The folded sum of the pseudo header of either version (RFC 8200 §8.1), as `wire`'s checksums take it. */
export function pseudoSumOf(source: Ip, destination: Ip, protocol: number, length: number): number {
  let sum = halves(source.w3) + halves(destination.w3) + protocol;
  sum += (length >>> 16) + (length & 0xffff);
  if (source.version === 6) {
    sum += halves(source.w0) + halves(source.w1) + halves(source.w2);
    sum += halves(destination.w0) + halves(destination.w1) + halves(destination.w2);
  }
  const folded = (sum >>> 16) + (sum & 0xffff);
  return (folded >>> 16) + (folded & 0xffff);
}

const halves = (word: number): number => (word >>> 16) + (word & 0xffff);

/** The same of a received packet's payload. */
export function inboundPseudoSum(inbound: Inbound, protocol: number): number {
  const length = inbound.payloadEnd - inbound.payloadStart;
  let sum = halves(inbound.s3) + halves(inbound.d3) + protocol;
  sum += (length >>> 16) + (length & 0xffff);
  if (inbound.version === 6) {
    sum += halves(inbound.s0) + halves(inbound.s1) + halves(inbound.s2);
    sum += halves(inbound.d0) + halves(inbound.d1) + halves(inbound.d2);
  }
  const folded = (sum >>> 16) + (sum & 0xffff);
  return (folded >>> 16) + (folded & 0xffff);
}
