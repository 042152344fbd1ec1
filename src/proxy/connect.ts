import { NetError } from "../core/errors.ts";
import type { ConnectHandler, Stream } from "../core/transport.ts";
import { connectTls } from "../tls/connect.ts";
import type { TlsConnection } from "../tls/engine.ts";
import type { TlsStream } from "../tls/stream-api.ts";
import type { ProxyContext } from "./server.ts";
import type { UpstreamTimeouts } from "./settings.ts";
import type { Endpoint } from "./upstream/endpoint.ts";

/**
 * Connects to `endpoint` for HTTP/1.1, or for whatever the server chooses; failure is told as `onClose`,
 * never at once.
 */
export function connectEndpoint(
  { transport }: Pick<ProxyContext, "transport">,
  { address, tls }: Endpoint,
  { connect }: UpstreamTimeouts,
  wanted: "http/1.1" | "any",
  handler: ConnectHandler,
): Stream {
  if (tls === null) return transport.connect(address, { timeout: connect }, handler);
  const { client } = tls;
  const target = wanted === "any" ? tls.target : { ...tls.target, alpn: oldOnly };
  return connectTls(transport, address, { client, target, timeout: connect }, handler);
}

const oldOnly = ["http/1.1"] as const;

/** What the handshake of a stream that `connectEndpoint` made has settled; null in plain. */
export const securityOf = ({ tls }: Endpoint, stream: Stream): TlsConnection | null =>
  tls === null ? null : (stream as TlsStream).connection;

/** Counts a connection that did not come to stand, once for all who waited for it. */
export function connectFailed(
  { observer, transport }: ProxyContext,
  endpoint: Endpoint,
  error: NetError | null,
): void {
  if (error === null) return;
  if (!isOurs(error)) endpoint.connectFailed(transport.now());
  observer.upstreamConnectFailed(endpoint.upstream, error);
}

/** The same for a request that waited for it: nothing of it has left. */
export const connectError = (error: NetError | null): NetError =>
  new NetError(error?.code ?? "ECONNRESET", messageOf(error), {
    source: "upstream",
    retry: "always",
    cause: error,
  });

/** With what to do, where that is known. */
function messageOf(error: NetError | null): string {
  if (error === null) return "connection lost";
  const { code, message } = error;
  if (code !== "TLS_CERTIFICATE") return message;
  const advice = certificateAdvice.find(([pattern]) => pattern.test(message))?.[1];
  return advice === undefined ? message : `${message}; ${advice}`;
}

const certificateAdvice: readonly (readonly [RegExp, string])[] = [
  [
    /issuer|self.signed|verify the first/,
    "set tls.ca to the authority's certificate if it is to be trusted",
  ],
  [/mismatch/, "set tls.serverName to a name that the certificate bears"],
  [/expired/, "its owner has to renew it"],
];

/** Failures to connect that say nothing of the endpoint: this host has run out of something. */
const isOurs = (error: NetError): boolean =>
  error.code === "EMFILE" || error.code === "EADDRNOTAVAIL" || error.code === "EACCES";

export const atLimit = (): NetError =>
  new NetError("CONNECTION_LIMIT", "every endpoint is at its connection limit", {
    source: "internal",
  });
