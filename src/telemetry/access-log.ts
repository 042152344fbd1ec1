import { type Logger, pino } from "pino";
import { type Rng, unit } from "../core/random.ts";

/** One request, as the access log tells of it. Times in microseconds; null where it never came so far. */
export interface AccessRecord {
  readonly listener: string;
  readonly route: string;
  /** The client's address, with its port. */
  readonly client: string;
  /** "HTTP/1.1", "HTTP/2.0". */
  readonly protocol: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  /** 0: the client left before any answer. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly connect: number | null;
  readonly firstByte: number | null;
  readonly total: number;
  readonly upstream: string | null;
  readonly endpoint: string | null;
  readonly attempts: number;
  readonly reused: boolean;
  /** Of a call of gRPC, which then has `grpc_status` in its line. */
  readonly grpcStatus?: number | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly source: string;
  } | null;
}

export interface AccessLogOptions {
  /** The share of requests that get a line, in (0, 1]. */
  readonly sample: number;
  readonly rng: Rng;
  /** The time of day in ISO 8601: this layer reads no clock. */
  readonly timeOfDay: () => string;
  /** Takes one line with its newline. Must not throw. */
  readonly write: (line: string) => void;
}

/**
 * Writes requests as JSON lines. Control characters of a hostile target or host are escaped by JSON, so
 * one request is one line whatever it holds; values of query parameters that look like secrets are
 * masked (`maskQuery`).
 */
export class AccessLog {
  readonly #sample: number;
  readonly #rng: Rng;
  readonly #log: Logger;

  constructor(options: AccessLogOptions) {
    this.#sample = options.sample;
    this.#rng = options.rng;
    this.#log = pino(
      {
        base: null,
        timestamp: () => `,"time":"${options.timeOfDay()}"`,
        // A line's kind in place of a level: standard output may carry other lines, too.
        formatters: { level: () => ({ type: "access" }) },
      },
      { write: options.write },
    );
  }

  /** Draws whether the next request gets a line; only then is its record worth making. */
  sampled(): boolean {
    return this.#sample >= 1 || unit(this.#rng) < this.#sample;
  }

  write(record: AccessRecord): void {
    this.#log.info({
      listener: record.listener,
      route: record.route,
      client: record.client,
      protocol: record.protocol,
      method: record.method,
      host: record.host,
      target: maskQuery(record.target),
      status: record.status,
      bytes_in: record.requestBytes,
      bytes_out: record.responseBytes,
      connect_ms: milliseconds(record.connect),
      first_byte_ms: milliseconds(record.firstByte),
      total_ms: milliseconds(record.total),
      upstream: record.upstream,
      endpoint: record.endpoint,
      attempts: record.attempts,
      reused: record.reused,
      ...(typeof record.grpcStatus === "number" && { grpc_status: record.grpcStatus }),
      error: record.error,
    });
  }
}

const milliseconds = (microseconds: number | null): number | null =>
  microseconds === null ? null : microseconds / 1_000;

/**
 * `target` with the values of query parameters masked whose names tell of a secret. Names are compared
 * as they came, undecoded. One pass, no regular expression over the whole: the target is hostile input.
 */
export function maskQuery(target: string): string {
  const query = target.indexOf("?");
  if (query < 0) return target;
  const pairs = target.slice(query + 1).split("&");
  let masked = false;
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!;
    const equals = pair.indexOf("=");
    if (equals < 0 || !tellsOfSecret(pair.slice(0, equals))) continue;
    pairs[i] = `${pair.slice(0, equals)}=***`;
    masked = true;
  }
  return masked ? `${target.slice(0, query)}?${pairs.join("&")}` : target;
}

const SECRETS = ["token", "secret", "passw", "apikey", "signature", "authorization", "credential"];
const SECRET_NAMES = new Set(["sig", "pwd", "key", "auth", "jwt", "code", "session", "sid"]);

function tellsOfSecret(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
  return SECRET_NAMES.has(plain) || SECRETS.some((secret) => plain.includes(secret));
}
