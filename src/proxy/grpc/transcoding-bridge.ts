import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { NetError } from "../../core/errors.ts";
import { grpcMediaType } from "../../grpc/media-type.ts";
import { FrameFlag, frameMessage } from "../../grpc/message-frame.ts";
import { MessageReader, type MessageSink } from "../../grpc/message-reader.ts";
import {
  GrpcStatus,
  grpcStatusOfHttp,
  httpStatusOfGrpc,
  parseGrpcStatus,
} from "../../grpc/status.ts";
import { decodeStatusMessage } from "../../grpc/status-message.ts";
import { BadRequest } from "../../grpc/transcoding/field-text.ts";
import type { HttpBinding } from "../../grpc/transcoding/http-rule.ts";
import type { PathMatch } from "../../grpc/transcoding/path-table.ts";
import type { Transcoder } from "../../grpc/transcoding/transcoder.ts";
import type { Fields } from "../../http/fields.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";
import type { LocalResponse } from "../local-response.ts";
import { statusText } from "./answers.ts";
import type { Bridge } from "./bridge.ts";
import { JsonStream } from "./json-stream.ts";

/** Fields that speak of the client's body, or of ours to the client. */
const ofTheClient = ["content-length", "content-encoding", "accept", "accept-encoding", "expect"];

/** Serves one JSON request by a method of gRPC. Its body is gathered; responses are as they come. */
export class TranscodingBridge implements Bridge, MessageSink {
  private readonly transcoder: Transcoder;
  private readonly binding: HttpBinding;
  private readonly match: PathMatch<HttpBinding>;
  private readonly limit: number;
  private readonly query: string;
  private readonly contentType: string | undefined;
  private readonly reader: MessageReader;
  private readonly stream: JsonStream | null;
  private gathered: Uint8Array[] = [];
  private gatheredLength = 0;
  private head!: ResponseHead;
  /** The upstream's answer is none of gRPC: what it is answered with. */
  private foreign = 0;
  /** What was read of the response and not given out yet. */
  private out: Uint8Array[] = [];
  private messages = 0;
  /** What the client did wrong, for it to read. */
  private complaint: string | null = null;

  constructor(
    transcoder: Transcoder,
    match: PathMatch<HttpBinding>,
    request: RequestHead,
    limit: number,
  ) {
    this.transcoder = transcoder;
    this.match = match;
    this.binding = match.target;
    this.limit = limit;
    this.query = request.query;
    this.contentType = request.fields.get("content-type");
    this.reader = new MessageReader(limit);
    const streams = this.binding.method.methodKind === "server_streaming";
    this.stream = streams ? new JsonStream(this.binding, request.fields.get("accept")) : null;
  }

  // ---- the request ------------------------------------------------------------------------------

  prepareRequest(head: RequestHead): void {
    const { method } = this.binding;
    head.target = `/${method.parent.typeName}/${method.name}`;
    head.method = "POST";
    const { fields } = head;
    for (const name of ofTheClient) fields.delete(name);
    fields.set("Content-Type", "application/grpc");
    fields.set("TE", "trailers");
    head.framing = "chunked";
    head.contentLength = -1;
  }

  requestData(buf: Uint8Array, start: number, end: number): null {
    this.gatheredLength += end - start;
    if (this.gatheredLength > this.limit) {
      throw new NetError("BODY_TOO_LARGE", "the body is larger than a message may be", {
        source: "downstream",
      });
    }
    const piece = allocBytes(end - start);
    copyBytes(buf, start, end, piece, 0);
    this.gathered.push(piece);
    return null;
  }

  requestEnd(): Uint8Array {
    const { query, contentType } = this;
    const body = joined(this.gathered);
    this.gathered = [];
    try {
      const input = { values: this.match.values, query, body, contentType };
      return frameMessage(this.transcoder.request(this.binding, input));
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.complaint = error.message;
      throw new NetError("MALFORMED_MESSAGE", `transcoding: ${error.message}`, {
        source: "downstream",
        status: 400,
      });
    }
  }

  // ---- the response -----------------------------------------------------------------------------

  responseHead(head: ResponseHead): boolean {
    this.head = head;
    const { fields } = head;
    if (grpcMediaType(fields.get("content-type"))?.kind !== "grpc") {
      this.foreign = head.status >= 400 ? head.status : 502;
    }
    for (const name of ["content-length", "trailer", "grpc-encoding", "grpc-accept-encoding"]) {
      fields.delete(name);
    }
    fields.set("Content-Type", this.stream?.contentType ?? "application/json");
    head.framing = "chunked";
    head.contentLength = -1;
    return true;
  }

  responseData(buf: Uint8Array, start: number, end: number): Uint8Array | null {
    if (this.foreign !== 0) return null;
    if (this.reader.read(buf, start, end, this) === "too-large") {
      throw new NetError("BODY_TOO_LARGE", "a message of the response is larger than allowed", {
        source: "upstream",
        status: 502,
      });
    }
    // A single message waits for the status behind it.
    return this.stream === null ? null : this.given();
  }

  onMessage(flags: number, message: Uint8Array): void {
    if ((flags & FrameFlag.compressed) !== 0) throw broken("a compressed message, unasked for");
    if (this.stream === null && this.messages > 0) throw broken("two messages where one is due");
    this.messages++;
    let output: ReturnType<Transcoder["response"]>;
    try {
      output = this.transcoder.response(this.binding, message);
    } catch (error) {
      throw broken(error instanceof Error ? error.message : String(error));
    }
    if (this.stream === null) this.head.fields.set("Content-Type", output.contentType);
    else if (this.messages === 1 && this.stream.raw) {
      this.head.fields.set("Content-Type", output.contentType);
    }
    this.out.push(this.stream?.element(output.bytes) ?? output.bytes);
  }

  responseEnd(trailers: Fields | null): Uint8Array | null {
    if (this.foreign !== 0) {
      const code = grpcStatusOfHttp(this.foreign);
      return this.error(code, statusText(this.foreign), undefined, this.foreign);
    }
    const fields = trailers ?? this.head.fields;
    const code = parseGrpcStatus(fields.get("grpc-status"));
    if (code === GrpcStatus.OK && !this.reader.atBoundary) throw broken("half a message");
    if (code === GrpcStatus.OK) return this.complete();
    const message = decodeStatusMessage(fields.get("grpc-message") ?? "");
    return this.error(code, message, fields.get("grpc-status-details-bin"), httpStatusOfGrpc(code));
  }

  private complete(): Uint8Array | null {
    this.forgetStatus();
    if (this.stream !== null) return this.stream.end();
    if (this.messages === 0) throw broken("no message, although all is well");
    return this.given();
  }

  /** A status that is not OK: the whole response, or the last element of a stream that has begun. */
  private error(
    code: number,
    message: string,
    details: string | undefined,
    status: number,
  ): Uint8Array {
    this.forgetStatus();
    const json = this.transcoder.status(code, message, details);
    if (this.stream?.begun === true) {
      if (this.stream.raw) throw broken("the stream ended with an error");
      return this.stream.error(json);
    }
    this.out = [];
    this.head.status = status;
    this.head.fields.set("Content-Type", "application/json");
    return json;
  }

  /** Of Trailers-Only: the client gets it in the body. */
  private forgetStatus(): void {
    for (const name of ["grpc-status", "grpc-message", "grpc-status-details-bin"]) {
      this.head.fields.delete(name);
    }
  }

  private given(): Uint8Array | null {
    if (this.out.length === 0) return null;
    const all = joined(this.out);
    this.out = [];
    return all;
  }

  // ---- failures ---------------------------------------------------------------------------------

  breakOff(code: number, message: string): Uint8Array | null {
    const { stream } = this;
    if (stream === null || stream.raw || !stream.begun) return null;
    return stream.error(this.transcoder.status(code, message, undefined));
  }

  answer(local: LocalResponse, failure: number): number {
    const { fields, status } = local;
    const code =
      this.complaint !== null
        ? GrpcStatus.INVALID_ARGUMENT
        : failure === -1
          ? grpcStatusOfHttp(status)
          : failure;
    // What a hook has made is as it wants it.
    if (failure === -1) return code;
    const json = this.transcoder.status(code, this.complaint ?? statusText(status), undefined);
    local.become(status, json);
    fields.set("Content-Type", "application/json");
    return code;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const all = allocBytes(length);
  let at = 0;
  for (const piece of pieces) {
    copyBytes(piece, 0, piece.length, all, at);
    at += piece.length;
  }
  return all;
}

const broken = (what: string): NetError =>
  new NetError("MALFORMED_MESSAGE", `a response of gRPC that cannot be JSON: ${what}`, {
    source: "upstream",
  });
