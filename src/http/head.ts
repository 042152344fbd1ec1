/** The two kinds of message heads: the contract between the machines of a protocol and their users. */
export type { Framing } from "./framing.ts";
export { RequestHead } from "./request-head.ts";
export { ResponseHead } from "./response-head.ts";
