import { readFileSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { join } from "node:path";
import { TestAuthority } from "../../src/tls/testing/authority.ts";
import { freePort } from "../support/ports.ts";
import { type RunningProcess, startProcess } from "../support/processes.ts";
import { removeFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { findTool } from "../support/tools.ts";

export interface PebbleOptions {
  /** Where it looks for the answers to challenges, on 127.0.0.1 whatever the name is. */
  readonly httpPort?: number;
  readonly tlsPort?: number;
  /** Of its certificates, in seconds. Default: five years. */
  readonly validity?: number;
  /** Percent of good nonces that it refuses. Default 0. */
  readonly badNonces?: number;
  /** Percent of orders in which it remembers what was proven before. Default 0. */
  readonly reuse?: number;
  /** Default: free ones. */
  readonly ports?: PebblePorts;
}

export interface PebblePorts {
  readonly directory: number;
  readonly administration: number;
}

/** Pebble, Let's Encrypt's ACME server for tests, and a name server that says 127.0.0.1 to every name. */
export class Pebble implements AsyncDisposable {
  readonly ports: PebblePorts;
  /** PEM file: whom its own HTTPS certificate comes from. */
  readonly ca: string;
  readonly #folder: string;
  readonly #pebble: RunningProcess;
  readonly #names: RunningProcess;

  private constructor(
    ports: PebblePorts,
    folder: string,
    pebble: RunningProcess,
    names: RunningProcess,
  ) {
    this.ports = ports;
    this.#folder = folder;
    this.ca = join(folder, "ca.pem");
    this.#pebble = pebble;
    this.#names = names;
  }

  static async start(options: PebbleOptions = {}): Promise<Pebble> {
    const folder = temporaryFolder("pebble");
    const ports = options.ports ?? (await Pebble.ports());
    const names = await startNames();
    const config = await writeConfig(folder, ports, options);
    const pebble = await startProcess({
      command: findTool("pebble") ?? "pebble",
      args: ["-config", config, "-dnsserver", `127.0.0.1:${names.port}`],
      env: {
        PEBBLE_VA_NOSLEEP: "1",
        PEBBLE_VA_ALWAYS_VALID: "0",
        PEBBLE_WFE_NONCEREJECT: String(options.badNonces ?? 0),
        PEBBLE_AUTHZREUSE: String(options.reuse ?? 0),
      },
      ready: { port: ports.directory },
    });
    return new Pebble(ports, folder, pebble, names.process);
  }

  static async ports(): Promise<PebblePorts> {
    return { directory: await freePort(), administration: await freePort() };
  }

  get directory(): string {
    return `https://127.0.0.1:${this.ports.directory}/dir`;
  }

  /** What it did, in its own words. */
  get log(): string {
    return this.#pebble.stdout + this.#pebble.stderr;
  }

  /** PEM of the root of what it issues. */
  root(): Promise<string> {
    const url = `https://127.0.0.1:${this.ports.administration}/roots/0`;
    const agent = new Agent({ ca: readFileSync(this.ca) });
    return new Promise((resolve, reject) => {
      get(url, { agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (more: string) => {
          text += more;
        });
        response.on("end", () => {
          agent.destroy();
          resolve(text);
        });
      }).on("error", reject);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pebble.stop();
    await this.#names.stop();
    removeFolder(this.#folder);
  }
}

/** The name server that comes with Pebble, without its own answers to challenges. */
async function startNames(): Promise<{ readonly port: number; readonly process: RunningProcess }> {
  const port = await freePort();
  const management = await freePort();
  const off = ["-http01", "", "-https01", "", "-tlsalpn01", ""];
  const addresses = ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""];
  const places = ["-dns01", `127.0.0.1:${port}`, "-management", `127.0.0.1:${management}`];
  const process = await startProcess({
    command: findTool("pebble-challtestsrv") ?? "pebble-challtestsrv",
    args: [...places, ...addresses, ...off],
    ready: { port: management },
  });
  return { port, process };
}

async function writeConfig(
  folder: string,
  ports: PebblePorts,
  { httpPort, tlsPort, validity }: PebbleOptions,
): Promise<string> {
  using authority = new TestAuthority();
  const pair = authority.issue({ names: ["127.0.0.1"] });
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  write("ca.pem", authority.pem);
  const pebble = {
    listenAddress: `127.0.0.1:${ports.directory}`,
    managementListenAddress: `127.0.0.1:${ports.administration}`,
    certificate: write("pebble.pem", pair.certificate),
    privateKey: write("pebble.key", pair.key),
    httpPort: httpPort ?? (await freePort()),
    tlsPort: tlsPort ?? (await freePort()),
    ...(validity !== undefined && { certificateValidityPeriod: validity }),
  };
  return write("pebble.json", JSON.stringify({ pebble }));
}
