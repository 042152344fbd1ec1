import type { TranscodingOptions } from "../../grpc/transcoding/options.ts";
import type { CompressionSettings } from "../compression/settings.ts";
import type { GrpcWebSettings } from "../grpc/web-bridge.ts";

/**
 * Routes as plain data: what the YAML file says after validation, and what crosses to worker threads
 * by structured clone. `RouteTable` compiles the matches, `routeProgram` the actions.
 */
export interface RouteSettings {
  /** Unique within its listener; the access log and the metrics count by it. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  readonly rewrite: RewriteSettings | null;
  readonly requestHeaders: HeaderEdits | null;
  readonly responseHeaders: HeaderEdits | null;
  /** Of what upstreams answer; null or nothing: bodies go as they come. */
  readonly compress?: CompressionSettings | null;
  /** gRPC-Web is taken as gRPC; null or nothing: it goes as it comes. */
  readonly grpcWeb?: GrpcWebSettings | null;
  /** JSON is served by methods of gRPC. */
  readonly transcode?: TranscodeSettings | null;
}

export interface TranscodeSettings {
  /** Where the descriptor set is read from. */
  readonly descriptors: string;
  /** Full names; null: all services in it. */
  readonly services: readonly string[] | null;
  readonly options: TranscodingOptions;
  /** Bytes of one message. */
  readonly maxMessage: number;
  /** The file's bytes, once it was read. */
  readonly descriptorSet: Uint8Array | null;
}

/** Every part that is present must hold. */
export interface RouteMatch {
  /** Lower-case names without port: "example.com", or "*.example.com" for one or more labels before
   *  it. Empty: any host. */
  readonly hosts: readonly string[];
  /** null: any path. */
  readonly path: PathMatch | null;
  /** Methods as they stand in the request (case-sensitive, RFC 9110 §9.1). Empty: any. */
  readonly methods: readonly string[];
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
}

/** `value` starts with "/" and is compared with the normalised path (see path.ts). */
export interface PathMatch {
  readonly kind: "exact" | "prefix" | "pattern";
  readonly value: string;
}

/** A condition on a header field or a query parameter. */
export type ValueMatch =
  | { readonly kind: "present" | "absent"; readonly name: string }
  | { readonly kind: "exact" | "prefix"; readonly name: string; readonly value: string }
  | { readonly kind: "in"; readonly name: string; readonly values: readonly string[] };

export type RouteAction =
  | { readonly kind: "upstream"; readonly upstream: string }
  | {
      readonly kind: "split";
      readonly targets: readonly SplitTarget[];
      /** What keeps a client on one target; null draws anew for each request. */
      readonly sticky: { readonly kind: "header" | "cookie"; readonly name: string } | null;
    }
  | {
      readonly kind: "redirect";
      readonly status: number;
      /** A template: see template.ts. */
      readonly location: string;
    }
  | {
      readonly kind: "respond";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    };

export interface SplitTarget {
  readonly upstream: string;
  /** An integer of 0 or more; the sum of a split is positive. */
  readonly weight: number;
}

export interface RewriteSettings {
  /** null leaves the target as it was received. */
  readonly path:
    | { readonly kind: "replace"; readonly template: string }
    | { readonly kind: "prefix"; readonly strip: string | null; readonly add: string | null }
    | null;
  /** The Host that goes to the upstream; null leaves it to the upstream's `host` setting. */
  readonly host: string | null;
}

/** Applied in this order: remove, set (replaces every line of that name), add (appends a line). */
export interface HeaderEdits {
  readonly remove: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly add: Readonly<Record<string, string>>;
}
