/**
 * How the end of a message's body is told (RFC 9112 §6.3): there is none; by Content-Length; by the
 * last chunk; by the close of the connection. "tunnel": what follows the head is not HTTP.
 */
export type Framing = "none" | "length" | "chunked" | "close" | "tunnel";
