import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { type Agent, request } from "node:https";
import { AcmeFailure, type FailureKind } from "../../acme/authority.ts";
import { packageVersion } from "../version.ts";

/*
 * How the ACME client's requests go out. The client comes with an HTTP library of its own settings: it
 * would sleep out a Retry-After of hours, and it loses the reason of a connection that fails. So it gets
 * this in place of its transport: one attempt, bounded in time and size, and failures told apart.
 */

/** What requests of one order share. */
export interface RequestScope {
  readonly agent: Agent;
  readonly signal: AbortSignal;
  /** Milliseconds that the last answer asked to wait (Retry-After); 0: it did not. */
  retryAfter: number;
}

/** Set around whatever uses the client. */
export const requestScope = new AsyncLocalStorage<RequestScope>();

/** What the client hands over, of which this is used. */
interface ClientRequest {
  readonly url?: string | undefined;
  readonly method?: string | undefined;
  readonly data?: unknown;
  readonly headers: { toJSON(): object };
}

/** A refusal in the authority's words: RFC 8555 §6.7, a problem document. */
export class AcmeProblem extends AcmeFailure {
  /** Such as "urn:ietf:params:acme:error:unauthorized"; "" where it gives none. */
  readonly type: string;

  constructor(kind: FailureKind, message: string, retryAfter: number, type: string) {
    super(kind, message, retryAfter);
    this.type = type;
  }
}

const TIMEOUT = 30_000;
const LARGEST_BODY = 1024 * 1024;
export const PROBLEM = "urn:ietf:params:acme:error:";

/** An adapter for the client. Rejects with an AcmeFailure on whatever is no success. */
export async function sendRequest<T extends ClientRequest>(config: T) {
  const scope = requestScope.getStore();
  if (scope === undefined) throw new Error("an ACME request outside of an order");
  const { incoming, body } = await exchange(config, scope).catch((error: unknown) => {
    if (error instanceof AcmeFailure) throw error;
    throw unreachable(config.url ?? "", error, scope.signal);
  });
  const status = incoming.statusCode ?? 0;
  const { headers } = incoming;
  scope.retryAfter = retryAfterOf(headers["retry-after"], Date.now());
  if (status >= 400) {
    const problem = problemOf(status, body, scope.retryAfter, config.url ?? "");
    // The client itself asks again with another nonce (RFC 8555 §6.5).
    if (problem.type !== `${PROBLEM}badNonce`) throw problem;
  }
  return {
    data: body,
    status,
    statusText: incoming.statusMessage ?? "",
    headers: ofOneValue(headers),
    config,
  };
}

/** Fields as the client reads them: names in lower case, a single value each. */
function ofOneValue(headers: IncomingHttpHeaders): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") fields[name] = value;
  }
  return fields;
}

function exchange(
  { url = "", method = "get", data, headers }: ClientRequest,
  { agent, signal }: RequestScope,
): Promise<{ readonly incoming: IncomingMessage; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        agent,
        method: method.toUpperCase(),
        // RFC 8555 §6.1: clients say who they are.
        headers: { ...fieldsOf(headers), "User-Agent": `millrace/${packageVersion()}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      },
      (incoming) => {
        let body = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (text: string) => {
          body += text;
          if (body.length > LARGEST_BODY) incoming.destroy(new Error("its answer is too long"));
        });
        incoming.on("end", () => resolve({ incoming, body }));
        incoming.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(typeof data === "string" ? data : undefined);
  });
}

function fieldsOf(headers: ClientRequest["headers"]): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers.toJSON())) {
    if (typeof value === "string" && !/^(content-length|accept-encoding)$/i.test(name)) {
      fields[name] = value;
    }
  }
  return fields;
}

function problemOf(status: number, body: string, retryAfter: number, url: string): AcmeProblem {
  let type = "";
  let detail = "";
  try {
    const document = JSON.parse(body) as Record<string, unknown>;
    if (typeof document.type === "string") type = document.type;
    detail = describeProblem(document);
  } catch {
    // Not a problem document: the status has to do.
  }
  const limited = status === 429 || type === `${PROBLEM}rateLimited`;
  const kind = limited ? "limited" : status >= 500 ? "unreachable" : "refused";
  const words = detail === "" ? `status ${status}` : detail;
  return new AcmeProblem(kind, `${new URL(url).host} says: ${words}`, retryAfter, type);
}

/** A problem document with what it says of single names (RFC 8555 §6.7.1), on one line. */
export function describeProblem(document: Readonly<Record<string, unknown>>): string {
  const { detail, type, subproblems } = document;
  const own = typeof detail === "string" ? detail : typeof type === "string" ? type : "";
  const parts = Array.isArray(subproblems) ? subproblems : [];
  const more = parts.flatMap((part: unknown) =>
    typeof part === "object" && part !== null ? describeProblem(part as typeof document) : [],
  );
  // The authority's text is another's: no line of our log is to be made up by it.
  return [own, ...more]
    .join("; ")
    .replace(/[\p{Cc}\s]+/gu, " ")
    .slice(0, 1_000);
}

/** Milliseconds; RFC 9110 §10.2.3: seconds, or a date. */
export function retryAfterOf(field: string | undefined, now: number): number {
  if (field === undefined) return 0;
  if (/^\d{1,9}$/.test(field)) return Number(field) * 1_000;
  const date = Date.parse(field);
  return Number.isNaN(date) ? 0 : Math.max(date - now, 0);
}

function unreachable(url: string, error: unknown, signal: AbortSignal): AcmeFailure {
  const { code, message, name } = error as NodeJS.ErrnoException;
  const late = name === "TimeoutError" || (name === "AbortError" && !signal.aborted);
  const why = late ? `no answer within ${TIMEOUT / 1_000} s` : (hints[code ?? ""] ?? message);
  return new AcmeFailure("unreachable", `cannot reach ${hostOf(url)}: ${why}`, 0, error);
}

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "its name is not found",
  EAI_AGAIN: "its name cannot be resolved at the moment",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate comes from an unknown authority; is `ca` right?",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its certificate comes from an unknown authority; is `ca` right?",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "its certificate comes from an unknown authority; is `ca` right?",
};

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url);
