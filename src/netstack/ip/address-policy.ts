import type { Ip } from "../ip-address.ts";
import { matchingBits, Prefix } from "../prefix.ts";

/** RFC 6724 §3.1: what an address can reach; values of RFC 4291 §2.7 for multicast. */
export const Scope = { interfaceLocal: 1, linkLocal: 2, siteLocal: 5, global: 14 } as const;

export function scopeOf(ip: Ip): number {
  if (ip.version === 6) {
    if (ip.isMulticast) return (ip.w0 >>> 16) & 0xf;
    if (ip.isLinkLocal || ip.isLoopback) return Scope.linkLocal;
    // fec0::/10: deprecated by RFC 3879, but RFC 6724 §3.1 keeps its scope.
    return ip.w0 >>> 22 === 0x3fb ? Scope.siteLocal : Scope.global;
  }
  // RFC 6724 §3.2: private IPv4 addresses are global here.
  return ip.isLinkLocal || ip.isLoopback ? Scope.linkLocal : Scope.global;
}

interface Policy {
  readonly prefix: Prefix;
  readonly precedence: number;
  readonly label: number;
}

const policy = (prefix: string, precedence: number, label: number): Policy => ({
  prefix: Prefix.parse(prefix)!,
  precedence,
  label,
});

/** RFC 6724 §2.1, the default policy table, the longest prefixes first; the last one matches all. */
const POLICIES: readonly Policy[] = [
  policy("::1/128", 50, 0),
  policy("::/96", 1, 3),
  policy("2001::/32", 5, 5),
  policy("2002::/16", 30, 2),
  policy("3ffe::/16", 1, 12),
  policy("fec0::/10", 1, 11),
  policy("fc00::/7", 3, 13),
  policy("::/0", 40, 1),
];
/** ::ffff:0:0/96. */
const IPV4_POLICY = policy("0.0.0.0/0", 35, 4);

function policyOf(ip: Ip): Policy {
  if (ip.version === 4) return IPV4_POLICY;
  for (const entry of POLICIES) if (entry.prefix.contains(ip)) return entry;
  return IPV4_POLICY;
}

export const labelOf = (ip: Ip): number => policyOf(ip).label;
export const precedenceOf = (ip: Ip): number => policyOf(ip).precedence;

/** RFC 6724 §2.2: leading bits in common, not counting those behind the source's prefix. */
export const commonPrefixLength = (source: Prefix, destination: Ip): number =>
  source.ip.version === destination.version
    ? Math.min(matchingBits(source.ip, destination), source.length)
    : 0;
