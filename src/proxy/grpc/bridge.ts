import type { Fields } from "../../http/fields.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";
import type { LocalResponse } from "../local-response.ts";
import type { Session } from "../session-api.ts";

/**
 * Stands between a client that speaks something else and an upstream that is called by gRPC: one for each
 * exchange, made by the phase `bridge`. It is next to the client: filters see what the upstream sees.
 *
 *     client → request… → requestBodyFilter → upstream → responseBodyFilter → response… → client
 *
 * What it throws fails the exchange: a NetError as it is, anything else as a failed hook.
 */
export interface Bridge {
  /** Makes the request into the upstream's, for each attempt; `framing` and fields to match. */
  prepareRequest(head: RequestHead): void;
  /** What a piece of the client's body becomes; null for nothing yet. Borrowed, as in `onData`. */
  requestData(buf: Uint8Array, start: number, end: number): Uint8Array | null;
  /** What is left at the body's end, which comes once, also for a request without a body. */
  requestEnd(): Uint8Array | null;
  /** Makes the upstream's head into the client's. True: the head waits for the first piece or the end, and
   *  may be edited until then. */
  responseHead(head: ResponseHead): boolean;
  responseData(buf: Uint8Array, start: number, end: number): Uint8Array | null;
  /** What is left at the end; the trailers go no further. */
  responseEnd(trailers: Fields | null): Uint8Array | null;
  /** The last bytes of a response that has begun and breaks off; null where there are none that tell of it. */
  breakOff(code: number, message: string): Uint8Array | null;
  /** Makes an answer of the proxy's own into what the client expects; returns the status of gRPC.
   *  `failure`: the status for the failure that is answered, -1 for a hook's answer. */
  answer(local: LocalResponse, failure: number): number;
}

/** A bridge for a request, null where it needs none, or word that it was answered (`session.respond`). */
export type Opened = Bridge | "responded" | null;

/** What the phase `bridge` asks. Made once and shared by all requests. */
export interface Bridging {
  open(session: Session): Opened;
}
