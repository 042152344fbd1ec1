import type { ContestScenario } from "../harness/contest-options.ts";
import type { WrkLoad } from "../harness/wrk.ts";
import type { HandshakeLoad } from "./handshakes.ts";

/** Requests on connections that stay, by wrk. */
interface RequestScenario extends ContestScenario {
  readonly kind: "requests";
  readonly largeBodies: boolean;
  readonly load: WrkLoad;
}

/** A connection and a handshake for each request, by clients of our own. */
interface HandshakeScenario extends ContestScenario {
  readonly kind: "handshakes";
  readonly largeBodies: false;
  readonly load: HandshakeLoad;
}

export type Scenario = RequestScenario | HandshakeScenario;

export const scenarios: readonly Scenario[] = [
  {
    kind: "requests",
    name: "keepalive-64",
    describes: "64 keep-alive connections, 100-byte responses",
    largeBodies: false,
    load: { path: "/small", connections: 64, tls: true },
  },
  {
    kind: "handshakes",
    name: "full-handshakes",
    describes: "16 clients, each request with a connection and a full handshake of its own",
    largeBodies: false,
    load: { path: "/small", clients: 16, resume: false },
  },
  {
    kind: "handshakes",
    name: "resumed-handshakes",
    describes: "the same, and each client resumes its last session",
    largeBodies: false,
    load: { path: "/small", clients: 16, resume: true },
  },
  {
    kind: "requests",
    name: "download-10m",
    describes: "16 keep-alive connections, 10 MiB responses",
    largeBodies: true,
    load: { path: "/10m", connections: 16, tls: true },
  },
];
