import { formatSocketAddress, type SocketAddress } from "../core/address.ts";
import type { EndpointSettings, UpstreamSettings } from "../proxy/settings.ts";
import { compileRoutes } from "./compile-routes.ts";
import { type EffectiveConfig, type EffectiveListener, usesDemo } from "./effective.ts";
import type { ParsedListener, ParsedModuleListener } from "./listener-schema.ts";
import type { ParsedFile, ParsedModule } from "./schema.ts";

/** From a configuration that was found right to the plain data that the workers run on. */
export function compileFile(file: ParsedFile): EffectiveConfig {
  return compile(
    file,
    file.listeners.map((listener) =>
      compileListener(listener, compileRoutes(listener.routes, listener.compress ?? null)),
    ),
  );
}

export function compileModule(module: ParsedModule): EffectiveConfig {
  return compile(
    module,
    module.listeners.map((listener) => compileListener(listener, null)),
  );
}

type Process = Omit<ParsedModule, "listeners">;

function compile(parsed: Process, listeners: readonly EffectiveListener[]): EffectiveConfig {
  const upstreams = Object.entries(parsed.upstreams).map(
    ([name, upstream]): UpstreamSettings => ({
      name,
      ...upstream,
      // Typed by zod as a transform's result; the shape is the same.
      endpoints: upstream.endpoints satisfies readonly EndpointSettings[],
    }),
  );
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

function compileListener(
  parsed: ParsedListener | ParsedModuleListener,
  routes: EffectiveListener["routes"],
): EffectiveListener {
  const addresses = asList<SocketAddress>(parsed.listen);
  return {
    addresses,
    settings: {
      name: parsed.name ?? formatSocketAddress(addresses[0]!),
      limits: parsed.limits,
      timeouts: parsed.timeouts,
      forwarding: parsed.forwarding,
      halfClose: parsed.halfClose,
      allowConnect: parsed.allowConnect,
      http2: parsed.http2,
    },
    routes,
  };
}

function asList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
