import { grpcMediaType } from "../../grpc/media-type.ts";
import { GrpcStatus } from "../../grpc/status.ts";
import { type TranscodingOptions, transcodingDefaults } from "../../grpc/transcoding/options.ts";
import { unreadable } from "../../grpc/transcoding/request-media.ts";
import { Transcoder } from "../../grpc/transcoding/transcoder.ts";
import type { TranscodeSettings } from "../route/settings.ts";
import type { Session } from "../session-api.ts";
import type { Bridging, Opened } from "./bridge.ts";
import { TranscodingBridge } from "./transcoding-bridge.ts";

/** What a program says of transcoding. */
export interface TranscodingInput extends Partial<TranscodingOptions> {
  /** A FileDescriptorSet with its imports, as `protoc --include_imports --descriptor_set_out` writes it. */
  readonly descriptors: Uint8Array;
  /** Full names; without it all services of the set. */
  readonly services?: readonly string[] | null;
  /** Bytes of one message, either way; past it 413, or 502 for a response. Default: 4 MiB. */
  readonly maxMessage?: number;
}

export const maxMessageDefault = 4 * 1024 * 1024;

/**
 * Makes what the phase `bridge` of a program may return its `open` of: JSON over HTTP is served by methods
 * of gRPC, by the google.api.http rules in `descriptors`. Throws BadDescriptors.
 */
export function createTranscoding(input: TranscodingInput): Transcoding {
  const { descriptors, services = null, maxMessage = maxMessageDefault, ...options } = input;
  const transcoder = new Transcoder(descriptors, services, { ...transcodingDefaults, ...options });
  return new Transcoding(transcoder, maxMessage);
}

/** What a route says of transcoding, put to work. */
export function routeTranscoding(settings: TranscodeSettings): Transcoding {
  const { descriptors, descriptorSet, services, options, maxMessage } = settings;
  if (descriptorSet === null) throw new TypeError(`the descriptors ${descriptors} were not read`);
  return new Transcoding(new Transcoder(descriptorSet, services, options), maxMessage);
}

/**
 * Requests that are gRPC already pass; those that no rule takes are answered 404, or 405, and those
 * whose body is no JSON by its own word 415.
 */
export class Transcoding implements Bridging {
  readonly transcoder: Transcoder;
  readonly #maxMessage: number;

  constructor(transcoder: Transcoder, maxMessage: number) {
    this.transcoder = transcoder;
    this.#maxMessage = maxMessage;
  }

  open(session: Session): Opened {
    const { request } = session;
    if (grpcMediaType(request.fields.get("content-type")) !== null) return null;
    const found = this.transcoder.find(request.method, request.path);
    if ("target" in found) {
      if (request.framing !== "none" && request.contentLength !== 0) {
        const { fields } = request;
        const encoding = fields.get("content-encoding");
        const what = unreadable(found.target, fields.get("content-type"), encoding);
        if (what !== null) return this.#refuseBody(session, what);
      }
      return new TranscodingBridge(this.transcoder, found, request, this.#maxMessage);
    }
    const { methods } = found;
    if (methods.length === 0) {
      return this.#refuse(session, 404, GrpcStatus.NOT_FOUND, "Not Found", {});
    }
    const allow = { Allow: methods.join(", ") };
    return this.#refuse(session, 405, GrpcStatus.UNIMPLEMENTED, "Method Not Allowed", allow);
  }

  /** RFC 9110 §15.5.16: the fields of the answer tell what would have been taken. */
  #refuseBody(session: Session, what: "coding" | "type"): Opened {
    const [message, hint] =
      what === "type"
        ? ["the body is to be application/json", { Accept: "application/json" }]
        : ["the body is to come without a Content-Encoding", { "Accept-Encoding": "identity" }];
    return this.#refuse(session, 415, GrpcStatus.INVALID_ARGUMENT, message, hint);
  }

  #refuse(
    session: Session,
    status: number,
    code: number,
    message: string,
    fields: Readonly<Record<string, string>>,
  ): Opened {
    const json = this.transcoder.status(code, message, undefined);
    return session.respond(status, { "Content-Type": "application/json", ...fields }, json);
  }
}
