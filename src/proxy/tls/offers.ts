import type { UpstreamProtocol } from "../settings.ts";

/** What is offered to an upstream in the handshake (ALPN), the preferred first. */
export const offers: Readonly<Record<UpstreamProtocol, readonly string[]>> = {
  auto: ["h2", "http/1.1"],
  http1: ["http/1.1"],
  http2: ["h2"],
};
