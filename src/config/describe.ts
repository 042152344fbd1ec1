import type { AcmeSettings } from "../acme/settings.ts";
import { formatSocketAddress, type SocketAddress } from "../core/address.ts";
import type { Duration } from "../core/time.ts";
import type { CompressionSettings } from "../proxy/compression/settings.ts";
import type { Http2Settings } from "../proxy/h2/settings.ts";
import type { HealthSettings } from "../proxy/health/settings.ts";
import type {
  HeaderEdits,
  RouteAction,
  RouteSettings,
  TranscodeSettings,
} from "../proxy/route/settings.ts";
import type { EndpointSettings, ListenerSettings, UpstreamSettings } from "../proxy/settings.ts";
import type { ListenerTlsSettings } from "../proxy/tls/settings.ts";
import type { EffectiveConfig } from "./effective.ts";
import { formatDuration, formatSize } from "./units.ts";

/**
 * The configuration in force as a person reads it: addresses as text, durations and sizes with units,
 * secrets masked. Plain data for JSON.
 */
export function describeConfig(config: EffectiveConfig): Record<string, unknown> {
  return {
    workers: config.workers,
    driver: config.driver,
    admin: config.admin === null ? "off" : { listen: formatSocketAddress(config.admin) },
    log: { level: config.log.level, access: config.log.access ?? "off" },
    drain: { timeout: formatDuration(config.drain.timeout) },
    listeners: config.listeners.map(({ addresses, settings, acme, routes }) => ({
      ...describeListener(settings, acme, addresses),
      ...(routes !== null && { routes: routes.map(describeRoute) }),
    })),
    upstreams: Object.fromEntries(config.upstreams.map((u) => [u.name, describeUpstream(u)])),
  };
}

const masked = "***";

/** Whether a field by that name carries something that opens doors. */
export function isSecret(name: string): boolean {
  return /auth|cookie|token|secret|passw|api[-_]?key|credential|session|signature|private|jwt/i.test(
    name,
  );
}

function describeListener(
  settings: ListenerSettings,
  acme: AcmeSettings | null,
  addresses: readonly SocketAddress[],
) {
  const { limits, timeouts } = settings;
  return {
    ...settings,
    listen: addresses.map(formatSocketAddress),
    limits: {
      requestLine: formatSize(limits.requestLine),
      head: formatSize(limits.head),
      fields: limits.fields,
      body: formatSize(limits.body),
      connections: limits.connections,
      requestsPerConnection: count(limits.requestsPerConnection),
      webSocketMessage: formatSize(limits.webSocketMessage),
    },
    timeouts: describeDurations(timeouts),
    http2: settings.http2 === null ? "off" : describeHttp2(settings.http2),
    tls: settings.tls === null ? "off" : describeTls(settings.tls, acme),
  };
}

function describeTls(
  { tickets, handshakeTimeout, ...tls }: ListenerTlsSettings,
  acme: AcmeSettings | null,
) {
  const renewBefore = acme?.renewBefore ?? null;
  return {
    ...tls,
    ...(acme !== null && {
      acme: { ...acme, renewBefore: renewBefore === null ? "auto" : formatDuration(renewBefore) },
    }),
    tickets:
      tickets === null
        ? "off"
        : {
            count: tickets.count,
            lifetime: formatDuration(tickets.lifetime),
            rotateEvery: formatDuration(tickets.rotateEvery),
          },
    handshakeTimeout: formatDuration(handshakeTimeout),
  };
}

function describeHttp2(http2: Http2Settings) {
  return {
    ...http2,
    initialWindow: formatSize(http2.initialWindow),
    connectionWindow: formatSize(http2.connectionWindow),
    maxFrameSize: formatSize(http2.maxFrameSize),
    keepAlive: http2.keepAlive === null ? "off" : formatDuration(http2.keepAlive),
  };
}

function describeUpstream(upstream: UpstreamSettings) {
  const { name: _name, limits, retries, timeouts, ...rest } = upstream;
  const { failTimeout, keepBody } = retries;
  return {
    ...rest,
    endpoints: upstream.endpoints.map(describeEndpoint),
    limits: { ...limits, connectionsPerEndpoint: count(limits.connectionsPerEndpoint) },
    timeouts: describeDurations(timeouts),
    retries: {
      ...retries,
      failTimeout: formatDuration(failTimeout),
      keepBody: formatSize(keepBody),
    },
    resolveEvery: formatDuration(upstream.resolveEvery),
    health: upstream.health ? describeHealth(upstream.health) : "off",
    tls: upstream.tls ?? "off",
  };
}

function describeHealth({ interval, timeout, ...health }: HealthSettings) {
  return { ...health, interval: formatDuration(interval), timeout: formatDuration(timeout) };
}

export function describeEndpoint({ target, weight, tls }: EndpointSettings) {
  return { address: `${tls === true ? "https://" : ""}${placeOf(target)}`, weight };
}

function placeOf(target: EndpointSettings["target"]): string {
  if (target.kind !== "name") return formatSocketAddress(target);
  return target.port === 0 ? target.host : `${target.host}:${target.port}`;
}

function describeRoute(whole: RouteSettings): Record<string, unknown> {
  const { compress, grpcWeb, transcode, ...route } = whole;
  return {
    ...route,
    grpcWeb: grpcWeb ?? "off",
    transcode: transcode ? describeTranscode(transcode) : "off",
    compress: compress ? describeCompression(compress) : "off",
    match: { ...route.match, ...maskedConditions(route.match) },
    action: maskedAction(route.action),
    requestHeaders: maskedEdits(route.requestHeaders),
    responseHeaders: maskedEdits(route.responseHeaders),
  };
}

function describeTranscode({ descriptorSet: _bytes, maxMessage, ...rest }: TranscodeSettings) {
  return { ...rest, maxMessage: formatSize(maxMessage) };
}

function describeCompression({ limits, minLength, ...rest }: CompressionSettings) {
  return {
    ...rest,
    minLength: formatSize(minLength),
    limits: { ...limits, decodedSize: formatSize(limits.decodedSize) },
  };
}

/** A route may be opened by a secret header: the value is one as much as in an edit. */
function maskedConditions({ headers, query }: RouteSettings["match"]) {
  const mask = (condition: RouteSettings["match"]["headers"][number]) => {
    if (!isSecret(condition.name)) return condition;
    if (condition.kind === "in")
      return { ...condition, values: condition.values.map(() => masked) };
    return "value" in condition ? { ...condition, value: masked } : condition;
  };
  return { headers: headers.map(mask), query: query.map(mask) };
}

function maskedAction(action: RouteAction): RouteAction {
  return action.kind === "respond" ? { ...action, headers: maskedFields(action.headers) } : action;
}

function maskedEdits(edits: HeaderEdits | null): HeaderEdits | null {
  if (edits === null) return null;
  return { ...edits, set: maskedFields(edits.set), add: maskedFields(edits.add) };
}

function maskedFields(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isSecret(name) ? masked : value]),
  );
}

function describeDurations<K extends string>(timeouts: Readonly<Record<K, Duration | null>>) {
  const entries = Object.entries<Duration | null>(timeouts);
  return Object.fromEntries(entries.map(([k, d]) => [k, d === null ? "off" : formatDuration(d)]));
}

const count = (n: number): number | "unlimited" => (n === Infinity ? "unlimited" : n);
