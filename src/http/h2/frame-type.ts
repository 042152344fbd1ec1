/** Frame types (RFC 9113 §6; PRIORITY_UPDATE: RFC 9218 §7.1). */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
  priorityUpdate: 0x10,
} as const;

/** Flags; which of them a frame may have depends on its type. */
export const Flag = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const FRAME_HEADER = 9;
export const MAX_WINDOW = 0x7fff_ffff;
export const MAX_STREAM_ID = 0x7fff_ffff;
/** What windows and frames are before any SETTINGS (§6.5.2). */
export const INITIAL_WINDOW = 65_535;
export const MIN_FRAME_SIZE = 16_384;
export const MAX_FRAME_SIZE = 0xff_ffff;

/** The first octets of a client (§3.4). */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
