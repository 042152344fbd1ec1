/** Who may call by gRPC-Web from pages of other origins. Plain data. */
export interface CorsSettings {
  /** "any", or origins such as "https://app.example.com"; "https://*.example.com" for names below. */
  readonly origins: "any" | readonly string[];
  /** Fields of requests beyond those that gRPC-Web itself needs; "any" allows what is asked for. */
  readonly allowHeaders: "any" | readonly string[];
  /** Fields of responses that pages may read, beyond gRPC's own. */
  readonly exposeHeaders: readonly string[];
  /** Cookies and the like may be sent along. Not with origins of "any". */
  readonly credentials: boolean;
  /** For how many seconds a browser may remember a preflight's answer. */
  readonly maxAge: number;
}

export const corsDefaults: CorsSettings = {
  origins: "any",
  allowHeaders: "any",
  exposeHeaders: [],
  credentials: false,
  maxAge: 7200,
};

/** What gRPC-Web clients send, and what they have to read. */
const REQUEST_FIELDS = ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout"];
const RESPONSE_FIELDS = ["grpc-status", "grpc-message", "grpc-status-details-bin"];

/** The rules of CORS (Fetch standard §3.2) for one set of settings. */
export class Cors {
  readonly #settings: CorsSettings;
  readonly #exposed: string;
  readonly #origins: readonly RegExp[];

  constructor(settings: CorsSettings) {
    this.#settings = settings;
    this.#exposed = [...RESPONSE_FIELDS, ...settings.exposeHeaders].join(", ");
    this.#origins = settings.origins === "any" ? [] : settings.origins.map(originPattern);
  }

  allows(origin: string): boolean {
    return this.#settings.origins === "any" || this.#origins.some((one) => one.test(origin));
  }

  /** The fields that a response to `origin` gets; none where it may not read it. */
  responseFields(origin: string | undefined): Readonly<Record<string, string>> {
    const named = this.#settings.origins !== "any";
    if (origin === undefined || !this.allows(origin)) return named ? { Vary: "Origin" } : {};
    return {
      "Access-Control-Allow-Origin": named ? origin : "*",
      "Access-Control-Expose-Headers": this.#exposed,
      ...(named && { Vary: "Origin" }),
      ...(named && this.#settings.credentials && { "Access-Control-Allow-Credentials": "true" }),
    };
  }

  /** The answer's fields to a preflight; null where `origin` is not let in. `asked`: what it wants to send. */
  preflightFields(
    origin: string,
    asked: string | undefined,
  ): Readonly<Record<string, string>> | null {
    if (!this.allows(origin)) return null;
    const { allowHeaders, maxAge } = this.#settings;
    const allowed =
      allowHeaders === "any"
        ? (asked ?? REQUEST_FIELDS.join(", "))
        : [...REQUEST_FIELDS, ...allowHeaders].join(", ");
    const vary =
      this.#settings.origins === "any"
        ? "Access-Control-Request-Headers"
        : "Origin, Access-Control-Request-Headers";
    return {
      ...this.responseFields(origin),
      "Access-Control-Allow-Methods": "POST",
      "Access-Control-Allow-Headers": allowed,
      "Access-Control-Max-Age": String(maxAge),
      Vary: vary,
    };
  }
}

/** "https://*.example.com" takes one or more labels in the star's place. */
function originPattern(origin: string): RegExp {
  const escaped = origin
    .toLowerCase()
    .replace(/[.+?^${}()|[\]\\/]/g, "\\$&")
    .replace("*", "[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*");
  return new RegExp(`^${escaped}$`, "i");
}
