import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { freePort } from "../../test/support/ports.ts";
import { type RunningProcess, startProcess } from "../../test/support/processes.ts";

const root = join(import.meta.dirname, "..", "..");

export interface Example extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly process: RunningProcess;
}

/** Runs an example as its head says, with a port of its own and these variables. */
export async function startExample(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Example> {
  const port = await freePort();
  const running = await startProcess({
    command: process.execPath,
    args: [
      join(root, "bin", "millrace.mjs"),
      "proxy",
      join(root, "examples", name),
      ...["--workers", "1", "--admin", "off", "--access-log", "off"],
    ],
    env: { LISTEN: `127.0.0.1:${port}`, ...env },
    ready: { output: /Ctrl-C stops it/ },
    timeoutMs: 20_000,
  });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    process: running,
    async [Symbol.asyncDispose]() {
      await running.stop();
    },
  };
}

/** One request as an application received it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export type Reply = (request: Received, response: ServerResponse) => void;

/** An application behind the proxy: keeps what it received, and answers as told. */
export class App implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly address: string;
  private readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(reply: Reply = (_request, response) => response.end("app")): Promise<App> {
    const port = await freePort();
    const server = createServer(async (message, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of message) pieces.push(piece as Buffer);
      const { method = "", url = "", headers } = message;
      const request = { method, url, headers, body: Buffer.concat(pieces).toString("latin1") };
      app.received.push(request);
      reply(request, response);
    });
    const app = new App(server, port);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return app;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** An address at which nobody listens. */
export const nobody = async (): Promise<string> => `127.0.0.1:${await freePort()}`;
