import { type Seq, seqAdd } from "../../wire/seq.ts";
import { TCP_HEADER_LENGTH, TcpFlag, type TcpView } from "../../wire/tcp.ts";
import type { Packet } from "../packet.ts";

/** A header without options, in 20 bytes at `packet.start`; the checksum field is 0. */
export function writeHeader(
  packet: Packet,
  sourcePort: number,
  destinationPort: number,
  sequence: number,
  acknowledgment: number,
  flags: number,
  window: number,
  headerLength = TCP_HEADER_LENGTH,
): void {
  const { view, start } = packet;
  view.setUint16(start, sourcePort);
  view.setUint16(start + 2, destinationPort);
  view.setUint32(start + 4, sequence);
  view.setUint32(start + 8, acknowledgment);
  view.setUint16(start + 12, (headerLength << 10) | flags);
  view.setUint16(start + 14, window);
  view.setUint32(start + 16, 0);
  packet.end = start + headerLength;
}

/**
 * RFC 9293 §3.10.7.1: the reset for a segment that belongs to no connection; never called for one
 * that is a reset itself.
 */
export function writeReset(packet: Packet, segment: TcpView): void {
  const to = segment.sourcePort;
  const from = segment.destinationPort;
  if (segment.ack) {
    writeHeader(packet, from, to, segment.acknowledgment, 0, TcpFlag.rst, 0);
    return;
  }
  const acknowledgment: Seq = seqAdd(segment.sequence, segment.sequenceLength);
  writeHeader(packet, from, to, 0, acknowledgment, TcpFlag.rst | TcpFlag.ack, 0);
}
