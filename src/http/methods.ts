import { latin1 } from "../core/bytes.ts";
import { equalsText } from "./octets.ts";

/** The method buf[start, end) as a string; the usual ones without making it. */
export function methodAt(buf: Uint8Array, start: number, end: number): string {
  const guess = likely(buf[start]!, end - start);
  return equalsText(buf, start, end, guess) ? guess : latin1(buf, start, end);
}

function likely(first: number, length: number): string {
  switch (length) {
    case 3:
      return first === 0x47 ? "GET" : "PUT";
    case 4:
      return first === 0x50 ? "POST" : "HEAD";
    case 5:
      return first === 0x50 ? "PATCH" : "TRACE";
    case 6:
      return "DELETE";
    default:
      return first === 0x43 ? "CONNECT" : "OPTIONS";
  }
}
