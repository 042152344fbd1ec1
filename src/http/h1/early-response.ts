import { bytesOf } from "../../core/bytes.ts";
import { reasonPhrase } from "../status.ts";

const ready = new Map<number, Uint8Array>();

/**
 * A complete short response, made once: "Content-Length", "Content-Type: text/plain", the reason as its
 * body. `close` announces that the connection will be closed; `bodiless` leaves the body out but not
 * its length, for HEAD (RFC 9110 §9.3.2). The caller must not change the octets.
 */
export function respondBytes(status: number, close = true, bodiless = false): Uint8Array {
  const key = status * 4 + (close ? 2 : 0) + (bodiless ? 1 : 0);
  let bytes = ready.get(key);
  if (bytes === undefined) {
    const reason = reasonPhrase(status);
    const body = `${status} ${reason}`.trimEnd();
    bytes = bytesOf(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length + 1}\r\n` +
        `${close ? "Connection: close\r\n" : ""}\r\n${bodiless ? "" : `${body}\n`}`,
    );
    ready.set(key, bytes);
  }
  return bytes;
}

/** The interim response that asks for a body that was held back (RFC 9110 §10.1.1). */
export const CONTINUE: Uint8Array = bytesOf("HTTP/1.1 100 Continue\r\n\r\n");
