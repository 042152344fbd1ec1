import { bytesOf } from "../../core/bytes.ts";
import { fieldIdAt } from "../field-id.ts";
import { pseudoAt } from "./field-check.ts";

/** RFC 7541 appendix A: entries in the order of their indexes, from 1 on. */
const ENTRIES: readonly string[] = [
  ":authority: ",
  ":method: GET",
  ":method: POST",
  ":path: /",
  ":path: /index.html",
  ":scheme: http",
  ":scheme: https",
  ":status: 200",
  ":status: 204",
  ":status: 206",
  ":status: 304",
  ":status: 400",
  ":status: 404",
  ":status: 500",
  ...[
    "accept-charset",
    "accept-encoding: gzip, deflate",
    ..."accept-language accept-ranges accept access-control-allow-origin age allow".split(" "),
    ..."authorization cache-control content-disposition content-encoding".split(" "),
    ..."content-language content-length content-location content-range content-type".split(" "),
    ..."cookie date etag expect expires from host if-match if-modified-since".split(" "),
    ..."if-none-match if-range if-unmodified-since last-modified link location".split(" "),
    ..."max-forwards proxy-authenticate proxy-authorization range referer refresh".split(" "),
    ..."retry-after server set-cookie strict-transport-security transfer-encoding".split(" "),
    ..."user-agent vary via www-authenticate".split(" "),
  ].map((entry) => (entry.includes(": ") ? entry : `${entry}: `)),
];

export const STATIC_COUNT = ENTRIES.length;

/** All entries as lines "name: value\r\n", one after another. */
export const STATIC_LINES: Uint8Array = bytesOf(ENTRIES.map((entry) => `${entry}\r\n`).join(""));
/** By index: where the line starts (index + 1: where it ends), and where its name ends. */
export const STATIC_START = new Int32Array(STATIC_COUNT + 2);
export const STATIC_NAME_END = new Int32Array(STATIC_COUNT + 1);
/** By index: the FieldId, 0 for pseudo-headers; and the Pseudo. */
export const STATIC_ID = new Uint8Array(STATIC_COUNT + 1);
export const STATIC_PSEUDO = new Uint8Array(STATIC_COUNT + 1);

// Names of regular fields by a hash; several probes where two fall on one slot.
const SLOTS = new Uint8Array(256);

let at = 0;
for (let index = 1; index <= STATIC_COUNT; index++) {
  const entry = ENTRIES[index - 1]!;
  const nameEnd = at + entry.indexOf(": ");
  STATIC_START[index] = at;
  STATIC_NAME_END[index] = nameEnd;
  if (entry.startsWith(":")) STATIC_PSEUDO[index] = pseudoAt(STATIC_LINES, at, nameEnd);
  else {
    STATIC_ID[index] = fieldIdAt(STATIC_LINES, at, nameEnd);
    let slot = hashName(STATIC_LINES, at, nameEnd) & 255;
    while (SLOTS[slot] !== 0) slot = (slot + 1) & 255;
    SLOTS[slot] = index;
  }
  at += entry.length + 2;
}
STATIC_START[STATIC_COUNT + 1] = at;

/**
 * The index whose name is buf[start, end), letters in either case; 0 for none. `hash`: by
 * `hashName`.
 */
export function staticNameIndex(buf: Uint8Array, start: number, end: number, hash: number): number {
  let slot = hash & 255;
  for (;;) {
    const index = SLOTS[slot]!;
    if (index === 0) return 0;
    const from = STATIC_START[index]!;
    if (STATIC_NAME_END[index]! - from === end - start && sameName(buf, start, end, from)) {
      return index;
    }
    slot = (slot + 1) & 255;
  }
}

/**
 * Names in the table have letters and "-" alone, on which `| 0x20` folds case and changes no other.
 */
function sameName(buf: Uint8Array, start: number, end: number, from: number): boolean {
  for (let i = start, j = from; i < end; i++, j++) {
    if ((buf[i]! | 0x20) !== STATIC_LINES[j]) return false;
  }
  return true;
}

/**
 * A number for the name buf[start, end), the same for letters in either case; of few octets of it.
 */
export function hashName(buf: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const middle = buf[start + (length >> 1)]! | 0x20;
  return length * 7 + (buf[start]! | 0x20) * 53 + (buf[end - 1]! | 0x20) * 21 + middle * 11;
}
