import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { IpAddress, SocketAddress } from "../core/address.ts";
import { bind } from "./addresses.ts";
import { demoPage } from "./demo-page.ts";
import { createServer } from "./http-server.ts";

/** A small origin so that there is something to see behind a proxy that was just installed. */
export interface DemoOrigin {
  readonly address: SocketAddress;
  close(): void;
}

const loopback = { kind: "ip", ip: "127.0.0.1" as IpAddress, port: 0 } as const;

/** What one request may cost: it is a demonstration, not a load generator. */
const mostBytes = 100 * 1024 * 1024;
const mostMs = 60_000;

/** Starts it on a free port of 127.0.0.1. */
export async function startDemoOrigin(): Promise<DemoOrigin> {
  const server = createServer(answer);
  server.keepAliveTimeout = 120_000;
  await bind(loopback, server);
  const bound = server.address() as { port: number };
  return { address: { ...loopback, port: bound.port }, close: () => stop(server) };
}

function stop(server: Server): void {
  server.close();
  server.closeAllConnections();
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Server", "millrace-demo");
  // Not by `new URL`: it throws on targets such as "//:x".
  const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
  const [, first = "", second = ""] = path.split("/");
  switch (first) {
    case "":
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end(demoPage(request));
      return;
    case "echo":
      return echo(request, response);
    case "slow":
      return slow(response, numberFrom(new URLSearchParams(query).get("ms"), 1_000, mostMs));
    case "bytes":
      return bytes(response, numberFrom(second, 0, mostBytes));
    case "sse":
      return events(response);
    case "status":
      return status(response, numberFrom(second, 200, 599));
    default:
      return text(response, 404, `no ${path} here; try /\n`);
  }
}

/** The request as JSON, or its body as it came. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const { method, url, httpVersion, headers } = request;
  if (request.headers["content-length"] ?? request.headers["transfer-encoding"]) {
    response.setHeader("Content-Type", headers["content-type"] ?? "application/octet-stream");
    request.pipe(response);
    return;
  }
  response.setHeader("Content-Type", "application/json");
  response.end(`${JSON.stringify({ method, url, httpVersion, headers }, null, 2)}\n`);
}

function slow(response: ServerResponse, ms: number): void {
  const timer = setTimeout(() => text(response, 200, `that took ${ms} ms\n`), ms);
  response.on("close", () => clearTimeout(timer));
}

function bytes(response: ServerResponse, count: number): void {
  const piece = Buffer.alloc(Math.min(count, 65_536), "millrace ");
  let left = count;
  response.setHeader("Content-Type", "application/octet-stream");
  response.setHeader("Content-Length", count);
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      const length = Math.min(left, piece.length);
      left -= length;
      if (!response.write(piece.subarray(0, length))) return;
    }
    if (left === 0) response.end();
  };
  response.on("drain", more);
  more();
}

function events(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  let count = 0;
  const send = (): void => {
    count++;
    response.write(`id: ${count}\ndata: tick ${count}\n\n`);
  };
  send();
  const timer = setInterval(send, 1_000);
  response.on("close", () => clearInterval(timer));
}

function status(response: ServerResponse, code: number): void {
  if (code < 200) text(response, 400, "a status from 200 to 599\n");
  else text(response, code, code === 204 || code === 304 ? "" : `status ${code}\n`);
}

function text(response: ServerResponse, code: number, body: string): void {
  if (code !== 204 && code !== 304) response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.statusCode = code;
  response.end(body);
}

/** A whole number from 0 to `most`; what is none becomes `otherwise`. */
function numberFrom(text: string | null, otherwise: number, most: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Number(text), most) : otherwise;
}
