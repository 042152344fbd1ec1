import type { Rng } from "../../core/random.ts";
import { sha1 } from "./sha1.ts";

/** RFC 6455 §1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A fresh Sec-WebSocket-Key: 16 random octets (§4.1). */
export function newKey(rng: Rng): string {
  let octets = "";
  for (let word = 0; word < 4; word++) {
    const drawn = rng.u32();
    for (let shift = 0; shift < 32; shift += 8) {
      octets += String.fromCharCode((drawn >>> shift) & 0xff);
    }
  }
  return btoa(octets);
}

/** Whether a Sec-WebSocket-Key is one: 16 octets in base64 (§4.2.1). */
export const isKey = (value: string): boolean => /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(value);

/** The Sec-WebSocket-Accept that answers a key (§4.2.2). */
export const acceptOf = (key: string): string => btoa(String.fromCharCode(...sha1(key + GUID)));
