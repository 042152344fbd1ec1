import { formatSocketAddress } from "../../core/address.ts";
import type { TlsTarget } from "../../tls/client-config.ts";
import type { EndpointSettings } from "../settings.ts";
import type { UpstreamTlsSettings } from "./settings.ts";

/** The names by which an endpoint of an upstream is asked for and checked. */
export function tlsTarget(
  { serverName, verifyName }: Pick<UpstreamTlsSettings, "serverName" | "verifyName">,
  endpoint: EndpointSettings["target"],
): TlsTarget {
  const asked = serverName ?? hostOf(endpoint);
  // Sessions of different endpoints are different, though their names be the same.
  const sessionKey =
    endpoint.kind === "name" ? `${endpoint.host}:${endpoint.port}` : formatSocketAddress(endpoint);
  return { serverName: asked, verifyName: verifyName ?? asked, sessionKey };
}

function hostOf(endpoint: EndpointSettings["target"]): string {
  if (endpoint.kind === "name") return endpoint.host;
  return endpoint.kind === "ip" ? endpoint.ip : "";
}
