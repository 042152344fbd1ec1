import { Faults, type H2Fault } from "./fault.ts";
import { Flag, FrameType } from "./frame-type.ts";

/**
 * What RFC 9113 §6 says of a frame's length and stream, by its type, as a fault of the connection;
 * null where all is well. Lengths that concern only a stream are the connection's fault here, too:
 * a peer that cannot count is not one to go on with (§4.2 allows that).
 */
export function checkFrame(
  length: number,
  type: number,
  flags: number,
  stream: number,
): H2Fault | null {
  switch (type) {
    case FrameType.data:
    case FrameType.headers:
    case FrameType.continuation:
      return stream === 0 ? Faults.streamZero : null;
    case FrameType.priority:
      return onStream(stream, length === 5);
    case FrameType.rstStream:
      return onStream(stream, length === 4);
    case FrameType.settings:
      return onConnection(stream, (flags & Flag.ack) !== 0 ? length === 0 : length % 6 === 0);
    case FrameType.ping:
      return onConnection(stream, length === 8);
    case FrameType.goaway:
      return onConnection(stream, length >= 8);
    case FrameType.priorityUpdate:
      return onConnection(stream, length >= 4);
    case FrameType.windowUpdate:
      return length === 4 ? null : Faults.frameSize;
    case FrameType.pushPromise:
      // §8.4: a client never may, and we as a client turned it off.
      return Faults.push;
    default:
      return null;
  }
}

const onStream = (stream: number, fits: boolean): H2Fault | null =>
  stream === 0 ? Faults.streamZero : fits ? null : Faults.frameSize;

const onConnection = (stream: number, fits: boolean): H2Fault | null =>
  stream !== 0 ? Faults.notStreamZero : fits ? null : Faults.frameSize;

/** The unsigned 32-bit number at buf[at]. */
export function u32(buf: Uint8Array, at: number): number {
  return ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0;
}
