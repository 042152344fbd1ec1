import { bytesOf } from "../core/bytes.ts";

/** Ids of the fields that the stack itself acts on; all others are `other`. Fewer than 32: ids index bits. */
export const FieldId = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  te: 7,
  trailer: 8,
  keepAlive: 9,
  proxyConnection: 10,
  via: 11,
  xForwardedFor: 12,
  xForwardedProto: 13,
  xForwardedHost: 14,
  forwarded: 15,
  cookie: 16,
  setCookie: 17,
  date: 18,
  server: 19,
  proxyAuthenticate: 20,
  proxyAuthorization: 21,
  http2Settings: 22,
  authorization: 23,
  contentType: 24,
  contentEncoding: 25,
} as const;

export type FieldId = number;

const NAMES: readonly string[] = Object.keys(FieldId).map((key) =>
  key === "http2Settings" ? "http2-settings" : key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`),
);

// A hash without collisions on these names (field-id.test.ts checks it): most other names find an
// empty slot and are done. Slots hold ids, 0 for none.
const SLOTS = new Uint8Array(128);
/** All names one after another, and where each starts: compared faster than strings. */
const OCTETS: Uint8Array = bytesOf(NAMES.join(""));
const STARTS = new Uint16Array(NAMES.length + 1);
for (let id = 0; id < NAMES.length; id++) {
  const name = NAMES[id]!;
  STARTS[id + 1] = STARTS[id]! + name.length;
  if (id > 0) {
    SLOTS[slot(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1))] = id;
  }
}

/** The id of the name buf[start, end), a token of at least one octet. */
export function fieldIdAt(buf: Uint8Array, start: number, end: number): FieldId {
  const id = SLOTS[slot(end - start, buf[start]!, buf[end - 1]!)]!;
  return id !== 0 && isName(id, buf, start, end) ? id : 0;
}

/** Known names have only letters, digits and "-", on which `| 0x20` folds case and changes nothing else. */
function isName(id: FieldId, buf: Uint8Array, start: number, end: number): boolean {
  let at = STARTS[id]!;
  if (STARTS[id + 1]! - at !== end - start) return false;
  for (let i = start; i < end; i++, at++) if ((buf[i]! | 0x20) !== OCTETS[at]) return false;
  return true;
}

export function fieldIdOf(name: string): FieldId {
  const length = name.length;
  if (length === 0) return 0;
  const id = SLOTS[slot(length, name.charCodeAt(0), name.charCodeAt(length - 1))]!;
  if (id === 0 || NAMES[id]!.length !== length) return 0;
  return name === NAMES[id] || name.toLowerCase() === NAMES[id] ? id : 0;
}

/** The lower-case name of a known field. */
export function fieldName(id: FieldId): string {
  return NAMES[id]!;
}

function slot(length: number, first: number, last: number): number {
  return (length + (first | 0x20) * 53 + (last | 0x20) * 21) & 127;
}
