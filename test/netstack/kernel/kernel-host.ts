import { existsSync } from "node:fs";
import { join } from "node:path";
import { haveNamespaces } from "../../support/network-namespace.ts";
import type { RunningProcess } from "../../support/processes.ts";
import { haveTools, requireAll } from "../../support/tools.ts";
import type { Namespace } from "./namespace.ts";

const bin = join(import.meta.dirname, "..", "..", "..", "bin", "millrace.mjs");

/** For `describe.skipIf(!(await canTap("curl")))`: root, TUN devices, `ip` and those programs. */
export async function canTap(...tools: readonly string[]): Promise<boolean> {
  if (!existsSync("/dev/net/tun")) {
    const missing = "needs /dev/net/tun";
    if (requireAll) throw new Error(missing);
    process.stderr.write(`${missing}; the tests that need it are skipped\n`);
    return false;
  }
  return (await haveNamespaces()) && haveTools("ip", "ping", ...tools);
}

/** What `/status.json` says, as far as tests look at it. */
export interface Status {
  readonly interfaces: readonly {
    readonly name: string;
    readonly up: boolean;
    readonly mtu: number;
    readonly addresses: readonly string[];
  }[];
  readonly routes: readonly { readonly destination: string; readonly via: string | null }[];
  readonly nameServers: readonly string[];
  readonly services: readonly {
    readonly name: string;
    readonly connections: number;
    readonly open: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly datagramsIn: number;
    readonly datagramsOut: number;
  }[];
}

/** `millrace host` on a TAP device of a namespace. */
export class MillraceHost {
  readonly process: RunningProcess;
  readonly namespace: Namespace;

  private constructor(namespace: Namespace, process: RunningProcess) {
    this.namespace = namespace;
    this.process = process;
  }

  static async start(namespace: Namespace, ...flags: readonly string[]): Promise<MillraceHost> {
    const running = await namespace.start({
      command: process.execPath,
      args: [bin, "host", ...flags],
      ready: { output: /Ctrl-C stops it/ },
      timeoutMs: 20_000,
    });
    return new MillraceHost(namespace, running);
  }

  /** Of a host with `--http 80`, asked at `address`. */
  async status(address = "10.7.0.2"): Promise<Status> {
    const text = await this.namespace.run(
      `curl -sS -g --max-time 5 'http://${address}/status.json'`,
    );
    return JSON.parse(text) as Status;
  }

  async service(name: string): Promise<Status["services"][number]> {
    const found = (await this.status()).services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`the host has no ${name}`);
    return found;
  }

  /** Ends it, so that its capture is complete. Throws what it wrote when its status is not 0. */
  async stop(): Promise<void> {
    const { code, signal } = await this.process.stop();
    if (code === 0) return;
    throw new Error(`millrace host ended with ${code ?? signal}\n${this.process.stderr}`);
  }
}

/** Both families of the wire that most tests stand on, where nobody else is. */
export const HOST_FLAGS = [
  ...["--tap", "mr0", "--no-probe", "--address", "10.7.0.2/24", "--address", "fd07::2/64"],
];

/** A host with those addresses and the kernel's side at .1 of both; answers to both families. */
export async function onWire(
  namespace: Namespace,
  ...flags: readonly string[]
): Promise<MillraceHost> {
  const host = await MillraceHost.start(namespace, ...HOST_FLAGS, ...flags);
  await addressKernel(namespace);
  return host;
}

export async function addressKernel(namespace: Namespace): Promise<void> {
  await namespace.run(
    "ip addr add 10.7.0.1/24 dev mr0; ip addr add fd07::1/64 dev mr0 nodad; ip link set mr0 up",
  );
  await namespace.eventually("ping -c 1 -W 1 10.7.0.2");
  await namespace.eventually("ping -c 1 -W 1 fd07::2");
}
