import { fileURLToPath } from "node:url";
import type { WrkLoad } from "../harness/wrk.ts";

interface ScenarioBase {
  readonly name: string;
  readonly describes: string;
  readonly workers: number;
  readonly forwarded: boolean;
  readonly largeBodies: boolean;
}

/** Requests as fast as they come, by wrk. */
export interface LoadScenario extends ScenarioBase {
  readonly kind: "load";
  readonly load: WrkLoad;
}

/** Connections that do nothing after their first request. */
export interface IdleScenario extends ScenarioBase {
  readonly kind: "idle";
  readonly connections: number;
}

export type Scenario = LoadScenario | IdleScenario;

const uploadScript = fileURLToPath(new URL("upload.lua", import.meta.url));

const single = { kind: "load", workers: 1, forwarded: false, largeBodies: false } as const;

export const scenarios: readonly Scenario[] = [
  {
    ...single,
    name: "keepalive-64",
    describes: "64 keep-alive connections, 100-byte responses",
    load: { path: "/small", connections: 64 },
  },
  {
    ...single,
    name: "keepalive-64-forwarded",
    describes: "the same, and each proxy adds X-Forwarded-For, -Proto and -Host",
    forwarded: true,
    load: { path: "/small", connections: 64 },
  },
  {
    ...single,
    name: "keepalive-512",
    describes: "512 keep-alive connections, 100-byte responses",
    load: { path: "/small", connections: 512 },
  },
  {
    ...single,
    name: "download-100k",
    describes: "64 keep-alive connections, 100 KiB responses",
    largeBodies: true,
    load: { path: "/100k", connections: 64 },
  },
  {
    ...single,
    name: "download-10m",
    describes: "16 keep-alive connections, 10 MiB responses",
    largeBodies: true,
    load: { path: "/10m", connections: 16 },
  },
  {
    ...single,
    name: "upload-1m",
    describes: "16 keep-alive connections, 1 MiB requests",
    largeBodies: true,
    load: { path: "/upload", connections: 16, script: uploadScript, requestBody: 1024 * 1024 },
  },
  {
    ...single,
    name: "connect-per-request",
    describes: "64 clients, a new connection for each request",
    load: { path: "/small", connections: 64, headers: ["Connection: close"] },
  },
  {
    ...single,
    name: "workers-2",
    describes: "2 workers on both cores, which load and origin share; 64 keep-alive connections",
    workers: 2,
    load: { path: "/small", connections: 64 },
  },
  {
    kind: "idle",
    workers: 1,
    forwarded: false,
    largeBodies: false,
    name: "idle-10k",
    describes: "10,000 idle connections, each after one request: memory",
    connections: 10_000,
  },
];
