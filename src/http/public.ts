/** The entry `millrace/http`: heads and fields, HTTP/1.1, HTTP/2 and WebSocket as machines without I/O. */
export { FieldId } from "./field-id.ts";
export { Fields } from "./fields.ts";
export { BodyWriter } from "./h1/body-writer.ts";
export type { H1Limits } from "./h1/limits.ts";
export { type H1Error, type ReceiveEvent, RequestReceiver } from "./h1/request-receiver.ts";
export { ResponseReceiver } from "./h1/response-receiver.ts";
export { ClientSession } from "./h2/client-session.ts";
export { H2Code } from "./h2/error-code.ts";
export type { H2Fault } from "./h2/fault.ts";
export { DEFAULT_LIMITS as DEFAULT_H2_LIMITS, type H2Limits } from "./h2/limits.ts";
export type {
  ClientOwner,
  RequestOwner,
  ResponseOwner,
  ServerOwner,
  StreamReset,
} from "./h2/owner.ts";
export { ServerSession } from "./h2/server-session.ts";
export type { SessionOptions } from "./h2/session-core.ts";
export type { H2Stream } from "./h2/stream.ts";
export { type Framing, RequestHead, ResponseHead } from "./head.ts";
export { CloseCode } from "./websocket/close-code.ts";
export type { MessageDeflate } from "./websocket/deflate.ts";
export { FrameTracker } from "./websocket/frame-tracker.ts";
export { writeClose, writeFrame } from "./websocket/frame-writer.ts";
export { Opcode } from "./websocket/opcode.ts";
export {
  type WebSocketEvent,
  type WebSocketFault,
  WebSocketReceiver,
} from "./websocket/receiver.ts";
