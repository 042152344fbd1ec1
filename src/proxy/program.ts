import type { NetError } from "../core/errors.ts";
import type { Compression } from "./compression/compression.ts";
import type { Opened } from "./grpc/bridge.ts";
import type { Peer } from "./peer.ts";
import type { Session } from "./session-api.ts";
import type { MessageDirection, MessageVerdict, WebSocketMessage } from "./websocket/message.ts";

/** A hook may answer plainly or with a promise; only a promise costs a wait. */
export type MaybePromise<T> = T | Promise<T>;

/** What a body filter makes of a piece: undefined leaves it, null drops it, bytes replace it. */
export type BodyVerdict = Uint8Array | null | undefined | void;

/**
 * A programmable proxy: Pingora's phases in the order in which a request meets them. Only `upstreamPeer`
 * is required. `Ctx` is one request's own state, made by `newContext`.
 *
 *     bridge → earlyRequestFilter → requestFilter → upstreamPeer → connectedToUpstream
 *       → compression → upstreamRequestFilter → requestBodyFilter*
 *       → upstreamResponseFilter → responseFilter → upstreamResponseBodyFilter* → responseBodyFilter*
 *       → responseTrailerFilter | webSocketMessage* → logging
 *
 * A hook that throws fails its own request: with 500 where the response has not begun, by closing the
 * connection where it has.
 */
export interface ProxyProgram<Ctx = unknown> {
  /** Makes the context of a request; without it hooks get `undefined`. */
  newContext?(session: Session): Ctx;

  /** What stands between a client that does not speak gRPC and an upstream that does: what the `open` of
   *  `createGrpcWeb` or `createTranscoding` gives, or nothing. May answer, as they do preflights. */
  bridge?(session: Session, ctx: Ctx): Opened | undefined | void;

  /** First, before anything was decided: cheap checks, limits. May answer: `session.respond`. */
  earlyRequestFilter?(session: Session, ctx: Ctx): MaybePromise<RequestVerdict>;

  /** Authorisation, rewriting, answering without an upstream (`return session.respond(…)`). */
  requestFilter?(session: Session, ctx: Ctx): MaybePromise<RequestVerdict>;

  /** Where this request goes: the name of a configured upstream, or a peer by address. Asked again
   *  for each attempt only when it chose by address; a named upstream picks another endpoint itself. */
  upstreamPeer(session: Session, ctx: Ctx): MaybePromise<Peer>;

  /** A connection was made or reused; `session.upstream` says which. */
  connectedToUpstream?(session: Session, ctx: Ctx): MaybePromise<void>;

  /** Connecting failed. "retry" asks for one more attempt within the bounds, "fail" for none. */
  failToConnect?(session: Session, error: NetError, ctx: Ctx): "default" | "retry" | "fail" | void;

  /** How this response's body is coded: what `createCompression` made, or nothing to leave it as it is.
   *  Asked for each attempt, before `upstreamRequestFilter`; what it decodes, `responseFilter` and
   *  `responseBodyFilter` see plain, and what it encodes they see before. */
  compression?(session: Session, ctx: Ctx): Compression | null | undefined;

  /** The last look at the request as the upstream will see it; `session.upstreamRequest` may be edited.
   *  "pass-body" leaves the body, and its Content-Length, to go by unfiltered. */
  upstreamRequestFilter?(session: Session, ctx: Ctx): MaybePromise<BodyChoice>;

  /** Each piece of the request's body, then once with `end`. With this hook bodies go out chunked. */
  requestBodyFilter?(
    session: Session,
    piece: Uint8Array | null,
    end: boolean,
    ctx: Ctx,
  ): MaybePromise<BodyVerdict>;

  /** The response as it came, before anything is stored of it or changed in it. */
  upstreamResponseFilter?(session: Session, ctx: Ctx): MaybePromise<void>;

  /** Pieces of the response's body as they came from the upstream. Synchronous. */
  upstreamResponseBodyFilter?(
    session: Session,
    piece: Uint8Array | null,
    end: boolean,
    ctx: Ctx,
  ): BodyVerdict;

  /** The response as the client will see it. "pass-body" lets the body go by unfiltered. */
  responseFilter?(session: Session, ctx: Ctx): MaybePromise<BodyChoice>;

  /** Each piece of the response's body, then once with `end`. With this hook bodies go out chunked. */
  responseBodyFilter?(
    session: Session,
    piece: Uint8Array | null,
    end: boolean,
    ctx: Ctx,
  ): MaybePromise<BodyVerdict>;

  /** The trailers (`session.trailers`), before they are sent on. */
  responseTrailerFilter?(session: Session, ctx: Ctx): MaybePromise<void>;

  /** Each message of a WebSocket, in either direction, one at a time: what waits for a promise holds its
   *  sender. With this hook the proxy agrees on permessage-deflate with each side by itself and refuses
   *  other extensions; without it messages are not looked at. A hook that throws closes with 1011. */
  webSocketMessage?(
    session: Session,
    direction: MessageDirection,
    message: WebSocketMessage,
    ctx: Ctx,
  ): MaybePromise<MessageVerdict>;

  /** An attempt failed after it was connected; before any retry. */
  errorWhileProxy?(session: Session, error: NetError, ctx: Ctx): void;

  /** Nothing more will be tried: may choose the answer with `session.respond`. */
  failToProxy?(session: Session, error: NetError, ctx: Ctx): MaybePromise<RequestVerdict>;

  /** The request is over, well or badly; `session.summary` has the figures. */
  logging?(session: Session, ctx: Ctx): void;
}

/** "responded": an answer was given by `session.respond`; nothing else (or "continue"): go on. */
export type RequestVerdict = "continue" | "responded" | void;

/** "pass-body": this message's body needs no filter and keeps its framing. */
export type BodyChoice = "continue" | "pass-body" | void;
