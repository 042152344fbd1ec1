/**
 * The compression of messages for permessage-deflate (RFC 7692 §7.2), each by itself: the proxy agrees
 * to no context takeover. Payloads are without the 00 00 FF FF at their end.
 */
export interface MessageDeflate {
  /** `windowBits`: 9 – 15, of the window that the receiver keeps. */
  deflate(bytes: Uint8Array, windowBits: number): Uint8Array;
  /** At most `limit` octets, which are the caller's to keep. */
  inflate(bytes: Uint8Array, limit: number): Uint8Array | "too-large" | "malformed";
}
