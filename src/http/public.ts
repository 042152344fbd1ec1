/** The entry `millrace/http`: heads and fields, and HTTP/1.1 as machines without I/O. */
export { FieldId } from "./field-id.ts";
export { Fields } from "./fields.ts";
export { BodyWriter } from "./h1/body-writer.ts";
export type { H1Limits } from "./h1/limits.ts";
export { type H1Error, type ReceiveEvent, RequestReceiver } from "./h1/request-receiver.ts";
export { ResponseReceiver } from "./h1/response-receiver.ts";
export { type Framing, RequestHead, ResponseHead } from "./head.ts";
