import { allocBytes, bytesOf, latin1 } from "../../../core/bytes.ts";
import { fieldIdAt } from "../../field-id.ts";
import { BLOCK_END, FIELD, type HpackDecoder } from "../decoder.ts";
import { FIELD_OVERHEAD, type HpackEncoder, isSecret } from "../encoder.ts";

export type Pair = readonly [name: string, value: string];

export const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (octet) => Number.parseInt(octet, 16));

/** All fields of a block, or the fault that it ended with. */
export function decodeBlock(decoder: HpackDecoder, block: Uint8Array): Pair[] | number {
  // The block lies amid garbage, so that a read beyond it would show.
  const buf = allocBytes(block.length + 16).fill(0x82);
  buf.set(block, 7);
  decoder.begin(buf, 7, 7 + block.length);
  const pairs: Pair[] = [];
  for (;;) {
    const event = decoder.next();
    if (event === BLOCK_END) return pairs;
    if (event !== FIELD) return event;
    const { line, lineStart, nameEnd, valueStart, lineEnd } = decoder;
    if (latin1(line, nameEnd, valueStart) !== ": ") throw new Error("no colon");
    if (latin1(line, lineEnd - 2, lineEnd) !== "\r\n") throw new Error("no line end");
    pairs.push([latin1(line, lineStart, nameEnd), latin1(line, valueStart, lineEnd - 2)]);
  }
}

export function encodeBlock(encoder: HpackEncoder, pairs: readonly Pair[]): Uint8Array {
  const room = pairs.reduce(
    (n, [name, value]) => n + name.length + value.length + FIELD_OVERHEAD,
    16,
  );
  const out = new Uint8Array(room);
  let at = encoder.begin(out, 0);
  for (const [name, value] of pairs) {
    const buf = bytesOf(name + value);
    const id = fieldIdAt(buf, 0, name.length);
    at = encoder.field(
      out,
      at,
      buf,
      0,
      name.length,
      name.length,
      buf.length,
      isSecret(id, value.length),
    );
  }
  if (at > room) throw new Error("more room taken than was promised");
  return out.subarray(0, at);
}
