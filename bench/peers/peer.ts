import type { RunningProcess } from "../../test/support/processes.ts";

/** Paths of PEM files. */
export interface PeerTls {
  readonly cert: string;
  readonly key: string;
  /** The certificate and the key in one file. */
  readonly both: string;
  readonly tickets: number;
}

/** What a peer is asked to be: the same for all of them. */
export interface PeerOptions {
  /** It listens on 127.0.0.1 here … */
  readonly port: number;
  /** … and forwards to the origin on 127.0.0.1 here. */
  readonly originPort: number;
  /** Processes or threads that carry traffic. */
  readonly workers: number;
  /** Add X-Forwarded-For, -Proto and -Host; otherwise none of them. */
  readonly forwarded: boolean;
  /** Bodies of 100 KB and more are coming: a peer that has a buffer size to set may raise it. */
  readonly largeBodies: boolean;
  /** Speak HTTP/2 in plain by prior knowledge to clients; one that does both needs not be told. */
  readonly http2?: boolean;
  /** Clients call by gRPC, in plain by prior knowledge, and the origin is called so, too. */
  readonly grpc?: boolean;
  /** Speak TLS 1.3 to clients, with TLS_AES_128_GCM_SHA256 alone and `tickets` a full handshake. */
  readonly tls?: PeerTls;
  /** A folder for its files, removed afterwards. */
  readonly folder: string;
  /** Goes before the command: pins it to its cores and raises the limit on descriptors. */
  readonly launcher: readonly string[];
  /** Extra flags for the Node of peers that run on it, e.g. `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
}

/** A proxy under measurement. */
export interface Peer {
  readonly name: string;
  /** Runs unless `--peers` says otherwise. */
  readonly byDefault: boolean;
  /** "http": it cannot carry gRPC; "grpc": it carries nothing else. Both without it. */
  readonly speaks?: "http" | "grpc";
  /** What is missing for it on this machine, or null. */
  missing(): string | null;
  version(): Promise<string>;
  /** Resolves when the port answers. */
  start(options: PeerOptions): Promise<RunningProcess>;
}
