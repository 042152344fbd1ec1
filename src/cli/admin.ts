import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { isLoopback, parseIp, type SocketAddress } from "../core/address.ts";
import { EXPOSITION_TYPE } from "../telemetry/exposition.ts";
import { bind } from "./addresses.ts";
import { createServer } from "./http-server.ts";

/** What the admin tells; each is asked at each request. */
export interface AdminSources {
  /** Every worker serves and the process is not stopping. */
  ready(): boolean;
  draining(): boolean;
  metrics(): string;
  /** The effective configuration as JSON text, secrets masked. */
  config(): string;
  upstreams(): Promise<unknown>;
}

export interface Admin {
  readonly address: SocketAddress;
  close(): void;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

type Endpoint = (sources: AdminSources) => Answer | Promise<Answer>;

const plainText = "text/plain; charset=utf-8";
const json = "application/json";

const endpoints: ReadonlyMap<string, { readonly about: string; readonly answer: Endpoint }> =
  new Map([
    ["/healthz", { about: "the process is alive", answer: () => textAnswer(200, "ok\n") }],
    [
      "/readyz",
      { about: "every worker serves; 503 until then and while draining", answer: readiness },
    ],
    [
      "/metrics",
      {
        about: "counters and gauges for Prometheus",
        answer: (s) => ({ status: 200, type: EXPOSITION_TYPE, body: s.metrics() }),
      },
    ],
    [
      "/config",
      {
        about: "the effective configuration, secrets masked",
        answer: (s) => ({ status: 200, type: json, body: `${s.config()}\n` }),
      },
    ],
    ["/upstreams", { about: "endpoints, their states and connections", answer: upstreamsAnswer }],
  ]);

/** Serves the admin's endpoints. Throws AddressUnavailable. */
export async function startAdmin(address: SocketAddress, sources: AdminSources): Promise<Admin> {
  const local = address.kind === "ip" && isLoopback(address.ip);
  const server = createServer((request, response) => {
    void respond(request, response, sources, local);
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 100;
  await bind(address, server);
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  return {
    address: address.kind === "unix" ? address : { ...address, port },
    close: () => stop(server),
  };
}

function stop(server: Server): void {
  server.close();
  server.closeAllConnections();
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  sources: AdminSources,
  local: boolean,
): Promise<void> {
  const answer = await answerTo(request, sources, local).catch((error: unknown) =>
    textAnswer(500, `${error instanceof Error ? error.message : String(error)}\n`),
  );
  response.writeHead(answer.status, {
    "Content-Type": answer.type,
    "Content-Length": Buffer.byteLength(answer.body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(answer.status === 405 && { Allow: "GET, HEAD" }),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

async function answerTo(
  request: IncomingMessage,
  sources: AdminSources,
  local: boolean,
): Promise<Answer> {
  if (local && !namesThisMachine(request.headers.host)) {
    return textAnswer(403, "the admin answers to an IP address or localhost only\n");
  }
  const path = (request.url ?? "/").split("?", 1)[0]!;
  const endpoint = endpoints.get(path);
  if (endpoint === undefined && path !== "/") return textAnswer(404, `no ${path}\n${index()}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return textAnswer(405, "GET or HEAD\n");
  }
  return endpoint === undefined ? textAnswer(200, index()) : endpoint.answer(sources);
}

/**
 * A page of the web can make a browser send requests here under a name that its owner points at
 * 127.0.0.1 (DNS rebinding), and read the answers. Such a request carries that name as its Host, so an
 * admin on loopback takes only hosts that no name server decides.
 */
export function namesThisMachine(host: string | undefined): boolean {
  if (host === undefined) return true;
  const name = host.replace(/:\d*$/, "").toLowerCase();
  if (name === "localhost") return true;
  return parseIp(name.startsWith("[") ? name.slice(1, -1) : name) !== null;
}

function readiness(sources: AdminSources): Answer {
  if (sources.draining()) return textAnswer(503, "draining\n");
  return sources.ready() ? textAnswer(200, "ready\n") : textAnswer(503, "starting\n");
}

async function upstreamsAnswer(sources: AdminSources): Promise<Answer> {
  const body = JSON.stringify(await sources.upstreams(), null, 2);
  return { status: 200, type: json, body: `${body}\n` };
}

function index(): string {
  const lines = [...endpoints].map(([path, { about }]) => `  ${path.padEnd(12)}${about}`);
  return `Millrace admin\n\n${lines.join("\n")}\n`;
}

const textAnswer = (status: number, body: string): Answer => ({ status, type: plainText, body });
