import { TcpOption } from "../../wire/tcp-options.ts";
import type { ReceiveSpace } from "./receive-space.ts";

/** Two no-operations, kind and length; then 8 bytes a block. */
const SACK_HEADER = 4;
const BLOCK = 8;

/** The bytes of the SACK option that the next segment carries, with at most `room` for it. */
export function sackLength(rcv: ReceiveSpace, room: number): number {
  const ranges = rcv.assembler === null ? 0 : rcv.assembler.count;
  const blocks = Math.min(ranges + (rcv.duplicate === null ? 0 : 1), blocksIn(room));
  return blocks <= 0 ? 0 : SACK_HEADER + BLOCK * blocks;
}

const blocksIn = (room: number): number => Math.min(4, Math.floor((room - SACK_HEADER) / BLOCK));

/**
 * Writes the option, `length` bytes as `sackLength` has it: first what came twice (RFC 2883 §4), then the ranges,
 * the one that changed last first (RFC 2018 §4).
 */
export function writeSack(rcv: ReceiveSpace, dv: DataView, at: number, length: number): void {
  dv.setInt32(at, 0x0101_0000 | (TcpOption.sack << 8) | (length - 2));
  let to = at + SACK_HEADER;
  const end = at + length;
  if (rcv.duplicate !== null) to = writeBlock(dv, to, rcv.duplicate.start, rcv.duplicate.end);
  let range = to < end ? rcv.assembler!.newest : null;
  while (to < end) {
    to = writeBlock(dv, to, range!.start, range!.end);
    range = range!.older;
  }
}

function writeBlock(dv: DataView, at: number, start: number, end: number): number {
  dv.setUint32(at, start);
  dv.setUint32(at + 4, end);
  return at + BLOCK;
}
