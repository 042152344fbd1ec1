import { NetError } from "../../core/errors.ts";
import { grpcMediaType } from "../../grpc/media-type.ts";
import { encodeStatusMessage } from "../../grpc/status-message.ts";
import { Base64Reader } from "../../grpc/web/base64-reader.ts";
import { Base64Writer } from "../../grpc/web/base64-writer.ts";
import { Cors, type CorsSettings, corsDefaults } from "../../grpc/web/cors.ts";
import { trailersFrame } from "../../grpc/web/trailers-frame.ts";
import type { Fields } from "../../http/fields.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";
import type { LocalResponse } from "../local-response.ts";
import type { Session } from "../session-api.ts";
import { answerAsGrpc } from "./answers.ts";
import type { Bridge, Bridging, Opened } from "./bridge.ts";

/** What a route or a program says of gRPC-Web. Plain data. */
export interface GrpcWebSettings {
  /** null: nothing is said of CORS, and preflights go their own way. */
  readonly cors: CorsSettings | null;
}

/**
 * Makes what the phase `bridge` of a program may return its `open` of: gRPC-Web, binary and text, is taken
 * as gRPC, and preflights of it are answered.
 *
 *     const grpcWeb = createGrpcWeb({ cors: { origins: ["https://app.example.com"] } });
 *     export default defineProxy({ upstreamPeer: () => "grpc", bridge: (s) => grpcWeb.open(s), … });
 */
export function createGrpcWeb(
  options: { readonly cors?: Partial<CorsSettings> | null } = {},
): Bridging {
  const cors = options.cors === null ? null : { ...corsDefaults, ...options.cors };
  return new GrpcWeb({ cors });
}

export class GrpcWeb implements Bridging {
  readonly #cors: Cors | null;

  constructor({ cors }: GrpcWebSettings) {
    this.#cors = cors === null ? null : new Cors(cors);
  }

  open(session: Session): Opened {
    const { request } = session;
    const origin = request.fields.get("origin");
    if (request.isMethod("OPTIONS")) {
      if (this.#cors === null || origin === undefined) return null;
      return preflight(session, origin, this.#cors);
    }
    const type = grpcMediaType(request.fields.get("content-type"));
    if (type === null || type.kind === "grpc" || !request.isMethod("POST")) return null;
    const accepted = grpcMediaType(request.fields.get("accept")?.split(",")[0]?.trim());
    const textOut = (accepted?.kind ?? type.kind) === "grpc-web-text";
    const fields = this.#cors?.responseFields(origin) ?? {};
    return new GrpcWebBridge(type.kind === "grpc-web-text", textOut, type.suffix, fields);
  }
}

function preflight(session: Session, origin: string, cors: Cors): "responded" | null {
  const { fields } = session.request;
  if (!fields.has("access-control-request-method")) return null;
  const asked = fields.get("access-control-request-headers");
  const allowed = cors.preflightFields(origin, asked);
  return session.respond(allowed === null ? 403 : 204, allowed ?? { Vary: "Origin" });
}

/** gRPC-Web (PROTOCOL-WEB.md): gRPC whose trailers are the body's last frame, in base64 where asked for. */
class GrpcWebBridge implements Bridge {
  private readonly reader: Base64Reader | null;
  private readonly writer: Base64Writer | null;
  private readonly suffix: string;
  private readonly corsFields: Readonly<Record<string, string>>;
  /** The upstream answered in gRPC, and with a body. */
  private translating = false;

  constructor(
    textIn: boolean,
    textOut: boolean,
    suffix: string,
    corsFields: Readonly<Record<string, string>>,
  ) {
    this.reader = textIn ? new Base64Reader() : null;
    this.writer = textOut ? new Base64Writer() : null;
    this.suffix = suffix;
    this.corsFields = corsFields;
  }

  prepareRequest(head: RequestHead): void {
    const { fields } = head;
    fields.set("Content-Type", `application/grpc${this.suffix}`);
    fields.set("TE", "trailers");
    fields.delete("x-grpc-web");
    fields.delete("accept");
    fields.delete("accept-encoding");
    fields.delete("content-length");
    head.framing = "chunked";
    head.contentLength = -1;
  }

  requestData(buf: Uint8Array, start: number, end: number): Uint8Array | null {
    if (this.reader === null) return buf.subarray(start, end);
    return this.reader.read(buf, start, end) ?? noBase64();
  }

  requestEnd(): Uint8Array | null {
    if (this.reader !== null && !this.reader.end()) noBase64();
    return null;
  }

  responseHead(head: ResponseHead): boolean {
    const { fields } = head;
    const type = grpcMediaType(fields.get("content-type"));
    setAll(fields, this.corsFields);
    if (type?.kind !== "grpc") return false;
    fields.set("Content-Type", this.contentType(type.suffix));
    fields.delete("trailer");
    fields.delete("content-length");
    // Trailers-Only stays that: clients look for the status in the head first.
    this.translating = !fields.has("grpc-status");
    head.framing = this.translating ? "chunked" : "length";
    head.contentLength = this.translating ? -1 : 0;
    if (!this.translating) fields.set("Content-Length", "0");
    return false;
  }

  private contentType(suffix: string): string {
    return `application/grpc-web${this.writer === null ? "" : "-text"}${suffix || "+proto"}`;
  }

  responseData(buf: Uint8Array, start: number, end: number): Uint8Array | null {
    if (!this.translating || this.writer === null) return buf.subarray(start, end);
    return this.writer.write(buf, start, end);
  }

  responseEnd(trailers: Fields | null): Uint8Array | null {
    return this.translating ? this.last(trailersFrame(trailers ?? [])) : null;
  }

  breakOff(code: number, message: string): Uint8Array | null {
    if (!this.translating) return null;
    const trailers = [
      ["grpc-status", String(code)],
      ["grpc-message", encodeStatusMessage(message)],
    ] as const;
    return this.last(trailersFrame(trailers));
  }

  private last(frame: Uint8Array): Uint8Array {
    const { writer } = this;
    if (writer === null) return frame;
    const text = writer.write(frame, 0, frame.length);
    const end = writer.end();
    const all = new Uint8Array(text.length + end.length);
    all.set(text);
    all.set(end, text.length);
    return all;
  }

  answer(local: LocalResponse, failure: number): number {
    const code = answerAsGrpc(local, failure);
    setAll(local.fields, this.corsFields);
    // Over HTTP/1.1 nothing but a length of 0 tells that there is no body.
    local.bare = false;
    if (local.fields.get("content-type") === "application/grpc") {
      local.fields.set("Content-Type", this.contentType(this.suffix));
    }
    return code;
  }
}

function setAll(fields: Fields, values: Readonly<Record<string, string>>): void {
  for (const name in values) {
    if (name === "Vary") fields.append(name, values[name]!);
    else fields.set(name, values[name]!);
  }
}

function noBase64(): never {
  throw new NetError("MALFORMED_MESSAGE", "the body of grpc-web-text is no base64", {
    source: "downstream",
  });
}
