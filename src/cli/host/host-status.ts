import type { Stack } from "../../netstack/stack.ts";
import type { RouteEntry } from "../../netstack/stack-options.ts";
import type { StatusSource } from "./http-service.ts";
import type { Service } from "./service.ts";

/** What `--http` shows: interfaces, addresses, routes, name servers, counters, services. */
export class HostStatus implements StatusSource {
  readonly #stack: Stack;
  readonly #services: readonly Service[];
  readonly #version: string;

  constructor(stack: Stack, services: readonly Service[], version: string) {
    this.#stack = stack;
    this.#services = services;
    this.#version = version;
  }

  json(): string {
    return `${JSON.stringify(this.#facts(), null, 2)}\n`;
  }

  html(): string {
    const { interfaces, services, routes, nameServers } = this.#facts();
    return `<!doctype html>
<meta charset="utf-8"><title>Millrace host</title>
<style>body{font:16px system-ui;margin:2em}td,th{padding:.2em .8em;text-align:right}
td:first-child,th:first-child{text-align:left}</style>
<h1>Millrace ${escaped(this.#version)}</h1>
<p>This page came over a TCP/IP stack in a process, not over the kernel's.
The same <a href="/status.json">as JSON</a>; <a href="/bytes/10000000">10 MB</a> to download.</p>
${interfaces.map(({ name, addresses, mtu, ...counters }) => table(`${name}, MTU ${mtu}: ${addresses.join(", ")}`, counters)).join("\n")}
<p>Routes: ${escaped(routes.map(routeText).join("; "))}.
Name servers: ${escaped(nameServers.join(", ") || "none")}.</p>
${services.map(({ name, ...counters }) => table(name, counters)).join("\n")}
`;
  }

  #facts() {
    const { addresses, routes } = this.#stack.configuration;
    const { nameServers } = this.#stack;
    return {
      version: this.#version,
      interfaces: this.#stack.interfaces.map(({ name, up, mtu, counters }) => ({
        name,
        up,
        mtu,
        addresses: addresses
          .filter((entry) => entry.interface === name)
          .map(({ ip, prefixLength, state }) =>
            state === "preferred" ? `${ip}/${prefixLength}` : `${ip}/${prefixLength} (${state})`,
          ),
        ...counters,
      })),
      routes: routes.filter((route) => route.interface !== "lo"),
      nameServers: nameServers.addresses,
      searchDomains: nameServers.domains,
      services: this.#services.map(({ name, counters }) => ({ name, ...counters })),
    };
  }
}

const routeText = ({ destination, via, interface: by }: RouteEntry): string =>
  `${destination}${via === null ? "" : ` via ${via}`}${by === null ? "" : ` by ${by}`}`;

function table(title: string, rows: object): string {
  const cells = Object.entries(rows).map(
    ([name, value]) => `<tr><td>${escaped(name)}<td>${escaped(String(value))}`,
  );
  return `<table><tr><th colspan="2">${escaped(title)}${cells.join("")}</table>`;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
