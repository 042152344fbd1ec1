import { bytesOf, latin1 } from "../../core/bytes.ts";
import type { Fields } from "../../http/fields.ts";
import { FrameFlag, frameMessage } from "../message-frame.ts";

/** Trailers as the last frame of a gRPC-Web body: field lines in lower case, no empty line at the end. */
export function trailersFrame(
  trailers: Iterable<readonly [name: string, value: string]>,
): Uint8Array {
  let text = "";
  for (const [name, value] of trailers) text += `${name.toLowerCase()}:${value}\r\n`;
  return frameMessage(bytesOf(text), FrameFlag.trailers);
}

/** Appends what a trailers frame holds to `fields`; false for lines that are no fields. */
export function parseTrailers(message: Uint8Array, fields: Fields): boolean {
  const lines = latin1(message, 0, message.length).split("\r\n");
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) return false;
    try {
      fields.append(line.slice(0, colon), line.slice(colon + 1).trim());
    } catch {
      return false;
    }
  }
  return true;
}
