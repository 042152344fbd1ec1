/** What a view that was not wrapped yet reads from. */
export const NO_DATA = new DataView(new ArrayBuffer(0));

/** A copy of dv[start, end): for reprs, which outlive the packet. */
export function copyOctets(dv: DataView, start: number, end: number): Uint8Array {
  return new Uint8Array(dv.buffer, dv.byteOffset + start, end - start).slice();
}

/** Writes `bytes` at `at`, which must have room; returns the position after them. */
export function writeOctets(dv: DataView, at: number, bytes: Uint8Array): number {
  new Uint8Array(dv.buffer, dv.byteOffset, dv.byteLength).set(bytes, at);
  return at + bytes.length;
}

/** Sets dv[start, end) to zero; returns end. */
export function zeroOctets(dv: DataView, start: number, end: number): number {
  for (let i = start; i < end; i++) dv.setUint8(i, 0);
  return end;
}

/** Whether `length` octets fit at `start`: every emitter asks before its first write. */
export const hasRoom = (dv: DataView, start: number, length: number): boolean =>
  start >= 0 && start + length <= dv.byteLength;
