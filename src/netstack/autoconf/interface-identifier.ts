import type { Rng } from "../../core/random.ts";
import { Ip } from "../ip-address.ts";
import { type SipKey, siphash, siphashHigh } from "../siphash.ts";

/**
 * The address in a /64 whose interface identifier is a keyed hash of prefix, interface and `counter`
 * (RFC 7217 §5): the same whenever the interface comes back to the network, unlike on any other one.
 */
export function stableAddress(key: SipKey, prefix: Ip, name: string, counter: number): Ip {
  const words = new Int32Array(4 + name.length);
  words[0] = prefix.w0;
  words[1] = prefix.w1;
  words[2] = counter;
  for (let i = 0; i < name.length; i++) words[4 + i] = name.charCodeAt(i);
  for (;;) {
    const low = siphash(key, words, words.length);
    const address = Ip.v6(prefix.w0, prefix.w1, siphashHigh(), low);
    if (!isReserved(address)) return address;
    words[3]!++;
  }
}

/** One with a random interface identifier (RFC 8981 §3.3.1). */
export function randomAddress(rng: Rng, prefix: Ip): Ip {
  for (;;) {
    const address = Ip.v6(prefix.w0, prefix.w1, rng.u32(), rng.u32());
    if (!isReserved(address)) return address;
  }
}

/** IANA's reserved identifiers (RFC 5453): subnet-router and subnet anycast, IANA's own Ethernet block. */
function isReserved({ w2, w3 }: Ip): boolean {
  if ((w2 | w3) === 0) return true;
  if (w2 >>> 0 === 0x0200_5eff && w3 >>> 24 === 0xfe) return true;
  return w2 >>> 0 === 0xfdff_ffff && w3 >>> 0 >= 0xffff_ff80;
}
