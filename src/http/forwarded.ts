/** What one hop says of a request, RFC 7239 §4. */
export interface ForwardedHop {
  /** The client's address without a port; IPv6 without brackets. null where it has none (a Unix socket). */
  readonly for: string | null;
  /** The address that the request came in at, likewise. */
  readonly by?: string | null;
  /** The Host as received. */
  readonly host?: string | null;
  readonly proto: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** One forwarded-element: parameters in the order for, by, host, proto, quoted where they are no token. */
export function forwardedElement(hop: ForwardedHop): string {
  let element = `for=${node(hop.for)}`;
  if (hop.by !== undefined && hop.by !== null) element += `;by=${node(hop.by)}`;
  if (hop.host) element += `;host=${quoted(hop.host)}`;
  return `${element};proto=${quoted(hop.proto)}`;
}

/** RFC 7239 §6: IPv6 in brackets and quotes; "unknown" for what has no address. */
function node(address: string | null): string {
  if (address === null || address === "") return "unknown";
  return address.includes(":") ? `"[${address}]"` : quoted(address);
}

/** A token as it is, else a quoted-string (RFC 9110 §5.6.4). */
function quoted(value: string): string {
  return TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
