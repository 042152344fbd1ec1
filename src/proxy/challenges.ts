import type { ClientHello } from "../tls/client-hello.ts";
import type { TlsServer } from "../tls/server.ts";
import type { SessionState } from "./session.ts";

/** RFC 8737 §3: a client that validates offers this protocol and no other. */
export const ACME_PROTOCOL = "acme-tls/1";

/** RFC 8555 §8.3. */
const PLACE = "/.well-known/acme-challenge/";
const octets = { "Content-Type": "application/octet-stream" };

/**
 * What all listeners answer an authority that looks whether a name is ours, before anything else is asked.
 * It is empty but for the seconds of an order.
 */
export class Challenges {
  /** Key authorizations by token; null: none. */
  tokens: ReadonlyMap<string, string> | null = null;
  /** Shows certificates for `tlsNames` to clients of `acme-tls/1`; null: none. */
  tlsServer: TlsServer | null = null;
  tlsNames: ReadonlySet<string> = new Set();

  /** The server for a client that validates one of our names; null for all others. */
  serverFor({ alpn, serverName }: ClientHello): TlsServer | null {
    if (alpn.length !== 1 || alpn[0] !== ACME_PROTOCOL || serverName === null) return null;
    return this.tlsNames.has(serverName) ? this.tlsServer : null;
  }
}

/** Gives the answer to a request that asks for one of the tokens; false for all others. */
export function answerChallenge(
  { request, local }: Pick<SessionState, "request" | "local">,
  tokens: ReadonlyMap<string, string>,
): boolean {
  const { method, path } = request;
  if (!path.startsWith(PLACE) || (method !== "GET" && method !== "HEAD")) return false;
  const answer = tokens.get(path.slice(PLACE.length));
  if (answer === undefined) return false;
  local.set(200, octets, answer);
  return true;
}
