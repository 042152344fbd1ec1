import type { Instant } from "../../core/time.ts";
import { type Seq, seqAdd, seqMax } from "../../wire/seq.ts";
import { emitTcp, TCP_HEADER_LENGTH, TcpFlag } from "../../wire/tcp.ts";
import { NO_TCP_OPTIONS, TCP_MAX_OPTIONS, TcpOption } from "../../wire/tcp-options.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import type { Packet } from "../packet.ts";
import type { TcpConnection } from "./connection.ts";
import type { OutgoingSegment } from "./outgoing-segment.ts";
import { sackLength, writeSack } from "./sack-generator.ts";
import { LEAST_PAYLOAD, TIMESTAMPS_LENGTH } from "./send-space.ts";
import { timestampAt } from "./timestamps.ts";
import { userTimeoutField } from "./user-timeout.ts";
import { shiftFor } from "./window-scale.ts";

const USER_TIMEOUT_LENGTH = 4;

/** Bytes of options that the next segment other than a SYN carries; SACK blocks make room for payload. */
export function optionsLength(c: TcpConnection): number {
  let length = c.timestamps ? TIMESTAMPS_LENGTH : 0;
  if (c.announceUserTimeout) length += USER_TIMEOUT_LENGTH;
  if (c.sack && (c.rcv.duplicate !== null || c.rcv.hasGap)) {
    const room = Math.min(TCP_MAX_OPTIONS, c.snd.segmentRoom - LEAST_PAYLOAD);
    length += sackLength(c.rcv, room - length);
  }
  return length;
}

/**
 * Writes header, options and `payload` bytes of the send buffer that begin with `segment.sequence`; fills
 * in what the segment says of our receive window. `options`: as `optionsLength` has it.
 */
export function writeSegment(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
  options: number,
  payload: number,
): void {
  const dv = out.view;
  const start = out.start;
  const rcv = c.rcv;
  let flags = segment.flags;
  if ((flags & TcpFlag.ack) !== 0) {
    if (c.ecn?.echo && (flags & TcpFlag.rst) === 0) flags |= TcpFlag.ece;
    segment.acknowledgment = rcv.nxt;
  }
  segment.flags = flags;
  const field = rcv.windowField(rcv.nextEdge(c.ackPolicy.segmentSize));
  segment.edge = seqMax(rcv.edge, seqAdd(rcv.nxt, rcv.scale > 0 ? field << rcv.scale : field));
  dv.setUint16(start, c.endpoints.localPort);
  dv.setUint16(start + 2, c.endpoints.remotePort);
  dv.setUint32(start + 4, segment.sequence);
  dv.setUint32(start + 8, (flags & TcpFlag.ack) !== 0 ? rcv.nxt : 0);
  dv.setUint16(start + 12, ((TCP_HEADER_LENGTH + options) << 10) | flags);
  dv.setUint16(start + 14, field);
  dv.setInt32(start + 16, 0); // checksum, urgent pointer
  let at = start + TCP_HEADER_LENGTH;
  if (options > 0) at = writeOptions(c, now, dv, at, options);
  if (payload > 0) c.snd.buffer!.copyTo(offsetOf(c, segment.sequence), payload, out.bytes, at);
  out.end = at + payload;
}

const offsetOf = (c: TcpConnection, sequence: Seq): number => (sequence - c.snd.base) | 0;

/** Marks a packet that is longer than one segment for the device to cut up. */
export function markForSegmentation(
  c: TcpConnection,
  out: Packet,
  payload: number,
  size: number,
): void {
  if (payload <= size) return;
  out.gsoType = c.endpoints.local.version === 4 ? GsoType.tcpV4 : GsoType.tcpV6;
  out.gsoSize = size;
}

function writeOptions(
  c: TcpConnection,
  now: Instant,
  dv: DataView,
  start: number,
  length: number,
): number {
  let at = start;
  if (c.timestamps) {
    dv.setInt32(at, 0x0101_080a);
    dv.setUint32(at + 4, timestampAt(now, c.tsOffset));
    dv.setUint32(at + 8, c.rcv.tsRecent);
    at += TIMESTAMPS_LENGTH;
  }
  if (c.announceUserTimeout) {
    dv.setInt32(at, (TcpOption.userTimeout << 24) | (USER_TIMEOUT_LENGTH << 16));
    dv.setUint16(at + 2, userTimeoutField(c.userTimeoutLimit));
    at += USER_TIMEOUT_LENGTH;
  }
  const rest = start + length - at;
  if (rest > 0) writeSack(c.rcv, dv, at, rest);
  return start + length;
}

/** The SYN, or with `ack` the SYN+ACK: its options say what we can, and after the peer's, what is agreed. */
export function writeSyn(
  c: TcpConnection,
  now: Instant,
  out: Packet,
  segment: OutgoingSegment,
): void {
  const { settings, rcv } = c;
  const answer = (segment.flags & TcpFlag.ack) !== 0;
  const timestamps = answer ? c.timestamps : settings.timestamps;
  const scaling = answer ? rcv.scale >= 0 : settings.windowScaling;
  const window = rcv.synWindow;
  segment.edge = rcv.edge;
  segment.acknowledgment = rcv.nxt;
  const repr = {
    sourcePort: c.endpoints.localPort,
    destinationPort: c.endpoints.remotePort,
    sequence: segment.sequence,
    acknowledgment: answer ? rcv.nxt : (0 as Seq),
    flags: segment.flags,
    window,
    urgentPointer: 0,
    options: {
      ...NO_TCP_OPTIONS,
      maximumSegmentSize: c.announcedMss,
      windowScale: scaling ? shiftFor(settings.maxReceiveBuffer) : null,
      sackPermitted: answer ? c.sack : settings.sack,
      timestamps: timestamps
        ? { value: timestampAt(now, c.tsOffset), echo: answer ? rcv.tsRecent : 0 }
        : null,
      userTimeout: c.announceUserTimeout
        ? userTimeoutOf(userTimeoutField(c.userTimeoutLimit))
        : null,
    },
    payloadLength: 0,
  };
  out.end = emitTcp(repr, out.view, out.start);
}

const userTimeoutOf = (field: number) =>
  ({ unit: field > 0x7fff ? "minutes" : "seconds", value: field & 0x7fff }) as const;
