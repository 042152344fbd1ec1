import type { AcmeSettings } from "../acme/settings.ts";
import { formatSocketAddress, type SocketAddress } from "../core/address.ts";
import type { EndpointSettings, ListenerSettings, UpstreamSettings } from "../proxy/settings.ts";
import type { ListenerTlsSettings } from "../proxy/tls/settings.ts";
import { compileRoutes } from "./compile-routes.ts";
import { type EffectiveConfig, type EffectiveListener, usesDemo } from "./effective.ts";
import type { ParsedListener, ParsedModuleListener } from "./listener-schema.ts";
import type { ParsedFile, ParsedModule } from "./schema.ts";
import { upstreamTlsDefaults } from "./tls-schema.ts";
import type { ParsedUpstream } from "./upstream-schema.ts";

/** From a configuration that was found right to the plain data that the workers run on. */
export function compileFile(file: ParsedFile): EffectiveConfig {
  return compile(
    file,
    file.listeners.flatMap((listener) =>
      compileListener(listener, compileRoutes(listener.routes, listener.compress ?? null)),
    ),
  );
}

export function compileModule(module: ParsedModule): EffectiveConfig {
  return compile(
    module,
    module.listeners.flatMap((listener) => compileListener(listener, null)),
  );
}

type ParsedEndpoint = ParsedUpstream["endpoints"][number];

type Process = Omit<ParsedModule, "listeners">;

function compile(parsed: Process, listeners: readonly EffectiveListener[]): EffectiveConfig {
  const upstreams = Object.entries(parsed.upstreams).map(([name, upstream]): UpstreamSettings => {
    const secure = ({ scheme }: ParsedEndpoint): boolean =>
      scheme === "https" || (scheme === null && upstream.tls !== undefined);
    const tls = upstream.endpoints.some(secure) ? (upstream.tls ?? upstreamTlsDefaults) : null;
    const endpoints = upstream.endpoints.map((endpoint): EndpointSettings => {
      const { target, weight } = endpoint;
      return secure(endpoint) ? { target, weight, tls: true } : { target, weight };
    });
    const h2c = upstream.endpoints.some(({ scheme }) => scheme === "h2c");
    const protocol = h2c ? "http2" : upstream.protocol;
    return { name, ...upstream, protocol, health: upstream.health ?? null, tls, endpoints };
  });
  return {
    workers: parsed.workers,
    driver: parsed.driver,
    admin: parsed.admin,
    log: parsed.log,
    drain: parsed.drain,
    listeners,
    upstreams,
    demo: usesDemo(upstreams),
  };
}

/** One listener, or two of the same name: what speaks TLS is a listener of its own from here on. */
function compileListener(
  parsed: ParsedListener | ParsedModuleListener,
  routes: EffectiveListener["routes"],
): readonly EffectiveListener[] {
  const places = asList(parsed.listen);
  const secure = ({ scheme }: Place): boolean =>
    scheme === "https" || (scheme === null && parsed.tls !== undefined);
  const name = parsed.name ?? formatSocketAddress(places[0]!.address);
  const parts = [
    { tls: null, addresses: places.filter((place) => !secure(place)), acme: null },
    { ...tlsOf(parsed.tls), addresses: places.filter(secure) },
  ];
  return parts
    .filter(({ addresses }) => addresses.length > 0)
    .map(({ tls, acme, addresses }) => ({
      addresses: addresses.map(({ address }) => address),
      settings: settingsOf(parsed, name, tls),
      acme,
      routes,
    }));
}

/** Getting certificates is the main thread's, so it is no part of what workers speak TLS by. */
function tlsOf(parsed: ParsedListener["tls"]): {
  readonly tls: ListenerTlsSettings | null;
  readonly acme: AcmeSettings | null;
} {
  if (parsed === undefined) return { tls: null, acme: null };
  const { acme, ...tls } = parsed;
  return { tls, acme };
}

type Place = { readonly address: SocketAddress; readonly scheme: "http" | "https" | null };

function settingsOf(
  parsed: ParsedListener | ParsedModuleListener,
  name: string,
  tls: ListenerTlsSettings | null,
): ListenerSettings {
  return {
    name,
    limits: parsed.limits,
    timeouts: parsed.timeouts,
    forwarding: parsed.forwarding,
    halfClose: parsed.halfClose,
    allowConnect: parsed.allowConnect,
    http2: parsed.http2,
    tls,
  };
}

function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
