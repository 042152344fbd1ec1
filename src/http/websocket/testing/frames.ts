/** A frame to be written by hand, right or wrong. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array;
  readonly fin?: boolean;
  /** RSV1, RSV2, RSV3 as the bits 4, 2, 1. */
  readonly reserved?: number;
  readonly key?: Uint8Array | null;
  /** Another length than that of the payload. */
  readonly length?: number;
  /** Octets for the length: 0, 2 or 8; by default the fewest. */
  readonly lengthOctets?: number;
}

/** Written apart from the code under test. */
export function rawFrame(frame: RawFrame): Buffer {
  const { opcode, payload = Buffer.alloc(0), fin = true, reserved = 0, key = null } = frame;
  const length = frame.length ?? payload.length;
  const octets = frame.lengthOctets ?? (length < 126 ? 0 : length < 0x1_0000 ? 2 : 8);
  const header = Buffer.alloc(2 + octets);
  header[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = (key === null ? 0 : 0x80) | (octets === 0 ? length : octets === 2 ? 126 : 127);
  if (octets === 2) header.writeUInt16BE(length, 2);
  if (octets === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (key === null) return Buffer.concat([header, payload]);
  return Buffer.concat([header, key, payload.map((octet, i) => octet ^ key[i % 4]!)]);
}

/** `bytes` cut at `cuts`, each piece in memory of its own. */
export function pieces(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])];
  places.sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.slice(places[i]!, end));
}
