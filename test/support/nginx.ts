import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./ports.ts";
import { type RunningProcess, startProcess } from "./processes.ts";
import { removeFolder, temporaryFolder } from "./temporary-folder.ts";
import { findTool } from "./tools.ts";

export interface NginxOptions {
  /** nginx's own syntax, inside `server { … }`: locations, returns, limits. */
  readonly server: string;
  /** Inside `http { … }`, before the server: maps, upstreams, further servers. */
  readonly http?: string;
  /** Files below the document root, by name ("big.bin", "sub/x.txt" needs its folder). */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Default 1. */
  readonly workers?: number;
  /** Default: a free port. */
  readonly port?: number;
  /** Put before nginx: `["taskset", "-c", "1"]`. */
  readonly launcher?: readonly string[];
}

/**
 * An nginx of its own on 127.0.0.1, with everything that it writes in a temporary folder that
 * `stop` removes. Call `requireTool("nginx", context)` or `haveTools("nginx")` first.
 */
export class Nginx implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  readonly process: RunningProcess;

  private constructor(port: number, folder: string, running: RunningProcess) {
    this.port = port;
    this.folder = folder;
    this.process = running;
  }

  static async start(options: NginxOptions): Promise<Nginx> {
    const command = findTool("nginx");
    if (command === null) throw new Error("nginx is not installed");
    const port = options.port ?? (await freePort());
    const folder = temporaryFolder("nginx");
    for (const [name, content] of Object.entries(options.files ?? {})) {
      writeFileSync(join(folder, name), content);
    }
    const file = join(folder, "nginx.conf");
    writeFileSync(file, configuration(options, port, folder));
    const line = [...(options.launcher ?? []), command, "-p", folder, "-c", file, "-e", "stderr"];
    try {
      const running = await startProcess({
        command: line[0]!,
        args: line.slice(1),
        // nginx takes relative paths of sockets to be in its working folder, which several may share.
        cwd: folder,
        ready: { port },
      });
      return new Nginx(port, folder, running);
    } catch (error) {
      removeFolder(folder);
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.process.stop();
    removeFolder(this.folder);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

function configuration(options: NginxOptions, port: number, folder: string): string {
  // Started by root, nginx would drop to a user that cannot read the temporary folder.
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind}_temp;`)
    .join("\n");
  return `${user}
daemon off;
pid ${folder}/nginx.pid;
worker_processes ${options.workers ?? 1};
error_log stderr warn;
events { worker_connections 16384; }
http {
${temporary}
  access_log off;
  default_type application/octet-stream;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
${options.http ?? ""}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${folder};
${options.server}
  }
}
`;
}
