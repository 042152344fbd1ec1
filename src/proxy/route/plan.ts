import { zlibCodecs } from "../../compression/zlib-codecs.ts";
import type { Rng } from "../../core/random.ts";
import { Compression } from "../compression/compression.ts";
import type { Bridging } from "../grpc/bridge.ts";
import { GrpcWeb } from "../grpc/web-bridge.ts";
import type { Session } from "../session-api.ts";
import { editedHeaders, HeaderEditor } from "./header-edits.ts";
import { PathRewrite, templateValues } from "./rewrite.ts";
import type { Route } from "./route.ts";
import type { RouteAction, RouteSettings, TranscodeSettings } from "./settings.ts";
import { Split } from "./split.ts";
import { Template } from "./template.ts";

/**
 * What becomes of the requests of a route, compiled. It is the context of the routing program: made
 * once, shared by all requests, never changed.
 */
export class Plan {
  readonly name: string;
  /** The upstream's name; "" where it takes more to choose one. */
  readonly upstream: string;
  readonly split: Split | null;
  readonly answer: Answer | null;
  readonly rewritePath: PathRewrite | null;
  readonly rewriteHost: string | null;
  readonly requestEdits: HeaderEditor | null;
  readonly responseEdits: HeaderEditor | null;
  readonly compression: Compression | null;
  readonly bridging: Bridging | null;

  constructor(name: string, parts: Partial<Omit<Plan, "name">>) {
    this.name = name;
    this.upstream = parts.upstream ?? "";
    this.split = parts.split ?? null;
    this.answer = parts.answer ?? null;
    this.rewritePath = parts.rewritePath ?? null;
    this.rewriteHost = parts.rewriteHost ?? null;
    this.requestEdits = parts.requestEdits ?? null;
    this.responseEdits = parts.responseEdits ?? null;
    this.compression = parts.compression ?? null;
    this.bridging = parts.bridging ?? null;
  }

  get editsRequest(): boolean {
    return this.rewritePath !== null || this.rewriteHost !== null || this.requestEdits !== null;
  }
}

/** An answer that no upstream gives. */
export interface Answer {
  give(session: Session): "responded";
}

/** Makes what a route's `transcode` asks for; given by whoever has loaded what that takes. */
export type TranscodingFactory = (settings: TranscodeSettings) => Bridging;

export function planOf(route: Route, rng: Rng, transcoding: TranscodingFactory | null): Plan {
  const { name, action, rewrite, requestHeaders, responseHeaders, compress } = route.settings;
  if (action.kind === "redirect") return new Plan(name, { answer: new Redirect(route, action) });
  if (action.kind === "respond") {
    return new Plan(name, { answer: fixedAnswer(action, route.settings) });
  }
  return new Plan(name, {
    upstream: action.kind === "upstream" ? action.upstream : "",
    split: action.kind === "split" ? new Split(action, rng) : null,
    rewritePath: rewrite?.path ? new PathRewrite(route, rewrite.path) : null,
    rewriteHost: rewrite?.host ?? null,
    requestEdits: requestHeaders === null ? null : new HeaderEditor(requestHeaders),
    responseEdits: responseHeaders === null ? null : new HeaderEditor(responseHeaders),
    compression: compress ? new Compression(compress, zlibCodecs()) : null,
    bridging: bridgingOf(route.settings, transcoding),
  });
}

function bridgingOf(
  { name, grpcWeb, transcode }: RouteSettings,
  transcoding: TranscodingFactory | null,
): Bridging | null {
  const web = grpcWeb ? new GrpcWeb(grpcWeb) : null;
  if (!transcode) return web;
  if (transcoding === null) throw new TypeError(`route ${name}: nothing that transcodes was given`);
  const json = transcoding(transcode);
  return web === null ? json : { open: (session) => web.open(session) ?? json.open(session) };
}

/** The same status, fields and body each time. */
export class FixedAnswer implements Answer {
  readonly #status: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #body: Uint8Array | null;

  constructor(status: number, headers: Readonly<Record<string, string>>, body: string) {
    this.#status = status;
    this.#headers = headers;
    this.#body = body === "" ? null : new TextEncoder().encode(body);
  }

  give(session: Session): "responded" {
    return session.respond(this.#status, this.#headers, this.#body);
  }
}

function fixedAnswer(
  action: Extract<RouteAction, { kind: "respond" }>,
  { responseHeaders }: RouteSettings,
): FixedAnswer {
  const typed = Object.keys(action.headers).some((name) => name.toLowerCase() === "content-type");
  const headers =
    typed || action.body === ""
      ? action.headers
      : { ...action.headers, "Content-Type": "text/plain; charset=utf-8" };
  return new FixedAnswer(action.status, editedHeaders(headers, responseHeaders), action.body);
}

class Redirect implements Answer {
  readonly #route: Route;
  readonly #status: number;
  readonly #location: Template;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(route: Route, action: Extract<RouteAction, { kind: "redirect" }>) {
    this.#route = route;
    this.#status = action.status;
    this.#location = new Template(action.location);
    this.#headers = editedHeaders({}, route.settings.responseHeaders);
  }

  give(session: Session): "responded" {
    const location = this.#location.render(templateValues(this.#route, session.request));
    return session.respond(this.#status, { Location: location, ...this.#headers });
  }
}
