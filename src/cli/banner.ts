import type { EffectiveConfig } from "../config/effective.ts";
import { formatSocketAddress, parseIp, type SocketAddress } from "../core/address.ts";
import { Prefix } from "../netstack/prefix.ts";
import type { ListenerSettings } from "../proxy/settings.ts";
import { peerAddress } from "./host/peer-address.ts";
import type { ProxyPlan } from "./plan.ts";

export interface BannerFacts {
  readonly plan: ProxyPlan;
  /** With concrete ports. */
  readonly config: EffectiveConfig;
  readonly version: string;
  readonly admin: SocketAddress | null;
  readonly demo: SocketAddress | null;
}

/** What is said once everything serves: what listens where, and what to try next. */
export function banner(facts: BannerFacts, colour: boolean): string {
  const { plan, version } = facts;
  const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[0m` : text);
  const driver = plan.driverFallback === null ? plan.driver : `node (${plan.driverFallback})`;
  const workers = plan.workers === 1 ? "1 worker" : `${plan.workers} workers`;
  const head = `${bold(`Millrace ${version}`)}  ${workers}, driver ${driver}, process ${process.pid}`;
  const shown = { ...facts, config: reached(facts) };
  const lines = ["", head, "", ...listening(shown), ...stackHint(plan)];
  return `${[...lines, "", ...toTry(shown, bold), ""].join("\n")}\n`;
}

/** On a stack of its own a wildcard is reached by the stack's addresses: the loopback would be the kernel's. */
function reached({ plan, config }: BannerFacts): EffectiveConfig {
  const own = (plan.stack?.addresses ?? []).map((text) => parseIp(text.split("/")[0]!)!);
  const real = (address: SocketAddress): SocketAddress => {
    if (address.kind === "unix") return address;
    const ip = WILDCARDS[address.ip]?.map((colon) =>
      own.find((one) => one.includes(":") === colon),
    );
    return { ...address, ip: ip?.find((one) => one !== undefined) ?? address.ip };
  };
  const listeners = config.listeners.map((listener) => ({
    ...listener,
    addresses: listener.addresses.map(real),
  }));
  return { ...config, listeners };
}

/** Whose addresses a wildcard may be reached by, in this order: IPv6 or not. */
const WILDCARDS: Readonly<Record<string, readonly boolean[]>> = {
  "0.0.0.0": [false],
  "::": [true, false],
};

function listening({ plan, config, admin, demo }: BannerFacts): string[] {
  const rows: string[][] = [];
  for (const { addresses, settings, routes } of config.listeners) {
    const what = plan.module === null ? `${routes?.length ?? 0} routes` : (plan.file ?? "");
    for (const address of addresses) {
      rows.push([
        "listener",
        urlOf(address, schemeOf(settings)),
        routes?.length === 1 ? settings.name : `${settings.name}, ${what}`,
      ]);
    }
  }
  for (const { name, endpoints } of config.upstreams) {
    rows.push([
      "upstream",
      name,
      endpoints.map((endpoint) => targetOf(endpoint.target)).join(", "),
    ]);
  }
  if (admin !== null) rows.push(["admin", urlOf(admin), "health, metrics, configuration"]);
  if (demo !== null) rows.push(["demo", urlOf(demo), "the embedded origin"]);
  const width = Math.max(...rows.map((row) => row[1]!.length));
  return rows.map(
    ([kind, where, what]) => `  ${kind!.padEnd(10)}${where!.padEnd(width + 2)}${what}`,
  );
}

/** What the kernel's end of a stack's device needs. */
function stackHint({ stack }: ProxyPlan): string[] {
  if (stack === null) return [];
  const { device, mode, addresses } = stack;
  const where = addresses.length === 0 ? "addresses by DHCP" : addresses.join(", ");
  const peers = addresses
    .map((text) => peerAddress(Prefix.parse(text)!))
    .filter((peer) => peer !== null);
  const hints = peers.map((peer) => `  ip addr add ${peer} dev ${device}`);
  return [
    `  ${"stack".padEnd(10)}${mode} ${device}, ${where}`,
    ...(hints.length === 0
      ? []
      : ["", "The kernel's end needs an address of that network:", ...hints]),
  ];
}

function toTry({ config, admin, demo }: BannerFacts, bold: (text: string) => string): string[] {
  const { addresses, settings } = config.listeners[0]!;
  const address = addresses[0]!;
  const scheme = schemeOf(settings);
  const commands = [curl(address, demo === null ? "/" : "/echo", trustOf(settings), scheme)];
  if (demo !== null && address.kind === "ip")
    commands.push(curl(address, "/sse", `-N ${trustOf(settings)}`.trim(), scheme));
  if (admin !== null) commands.push(curl(admin, "/upstreams"), curl(admin, "/metrics"));
  const lines = ["Try:", ...commands.map((command) => `  ${bold(command)}`)];
  if (demo !== null && address.kind === "ip")
    lines.push(`  or open ${urlOf(address, scheme)} in a browser`);
  lines.push("", "Ctrl-C stops it.");
  return lines;
}

const schemeOf = ({ tls }: ListenerSettings): "http" | "https" => (tls === null ? "http" : "https");

/** A certificate of one's own vouches for itself; one of an authority does not hurt. */
function trustOf({ tls }: ListenerSettings): string {
  const first = tls?.certificates[0];
  return first === undefined ? "" : `--cacert ${first.cert}`;
}

function curl(
  address: SocketAddress,
  path: string,
  flags = "",
  scheme: "http" | "https" = "http",
): string {
  const words = [
    "curl",
    flags,
    ...(address.kind === "unix" ? ["--unix-socket", address.path] : []),
  ];
  const base =
    address.kind === "unix" ? `${scheme}://localhost` : urlOf(address, scheme).replace(/\/$/, "");
  return `${words.filter((word) => word !== "").join(" ")} ${base}${path}`;
}

/** The address as a client would write it: a wildcard becomes the loopback address. */
function urlOf(address: SocketAddress, scheme: "http" | "https" = "http"): string {
  if (address.kind === "unix") return formatSocketAddress(address);
  const text = formatSocketAddress(address);
  const reachable = text.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
  return `${scheme}://${reachable}/`;
}

function targetOf(
  target: EffectiveConfig["upstreams"][number]["endpoints"][number]["target"],
): string {
  return target.kind === "name" ? `${target.host}:${target.port}` : formatSocketAddress(target);
}
