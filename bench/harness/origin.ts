import { request } from "node:http";
import { Nginx } from "../../test/support/nginx.ts";
import { freePort } from "../../test/support/ports.ts";
import { grpcMessage } from "./grpc-message.ts";

/** 100 bytes. */
const smallBody =
  "Small answers make the proxy's own work show, since the kernel has few bytes to carry either way..\n ";

/** What an origin has been asked so far, over all proxies. */
export interface OriginCounts {
  readonly connections: number;
  readonly requests: number;
}

/** nginx as the origin: cheap enough to share a core with the load generator. */
export class Origin {
  readonly port: number;
  /** Where any call of gRPC to /bench.Echo/Unary is answered, in plain by prior knowledge. */
  readonly grpcPort: number;
  readonly #nginx: Nginx;

  private constructor(nginx: Nginx, grpcPort: number) {
    this.grpcPort = grpcPort;
    this.#nginx = nginx;
    this.port = nginx.port;
  }

  static async start(launcher: readonly string[]): Promise<Origin> {
    const grpcPort = await freePort();
    const nginx = await Nginx.start({
      launcher,
      files: {
        "100k": Buffer.alloc(100 * 1024, 0x61),
        "10m": Buffer.alloc(10 * 1024 * 1024, 0x61),
        message: grpcMessage,
      },
      http: `
  sendfile on;
  tcp_nopush on;
  open_file_cache max=16;
  client_body_buffer_size 2m;
  # What /upload asks once it has the whole body: answered here, on the same worker.
  # Its connections are kept, so that hardly any enters the count of connections.
  server { listen unix:upload.sock; return 200 "taken\\n"; }
  upstream taken { server unix:upload.sock; keepalive 64; }
  # Files refuse POST with 405; here that is turned into the file, with the trailer that ends a call well.
  server {
    listen 127.0.0.1:${grpcPort} http2 backlog=4096;
    root .;
    error_page 405 =200 /message;
    location = /bench.Echo/Unary { try_files /message =404; }
    location = /message { default_type application/grpc; add_trailer grpc-status 0 always; }
  }`,
      server: `
    location = /small { default_type text/plain; return 200 "${smallBody.replaceAll("\n", "\\n")}"; }
    location = /count { stub_status; }
    # A plain "return" would answer before the body has come. This reads all of it first.
    location = /upload {
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass http://taken;
    }`,
    });
    return new Origin(nginx, grpcPort);
  }

  /** nginx's own counters. Asking costs one connection and one request, which are not in the result. */
  async counts(): Promise<OriginCounts> {
    this.#asked++;
    const text = await fetchText(this.port, "/count");
    // "server accepts handled requests\n 12 12 345"
    const match = /\n\s*(\d+)\s+\d+\s+(\d+)/.exec(text);
    if (match === null) throw new Error(`not a status page: ${text}`);
    return {
      connections: Number(match[1]) - this.#asked,
      requests: Number(match[2]) - this.#asked,
    };
  }
  #asked = 0;

  stop(): Promise<void> {
    return this.#nginx.stop();
  }
}

/** After a burst of short connections a new one may meet the remains of an old one, and a reset. */
async function fetchText(port: number, path: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return await fetchOnce(port, path);
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

function fetchOnce(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path, host: "127.0.0.1", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.once("end", () => resolve(text));
      response.once("error", reject);
    });
    asked.once("error", reject);
    asked.end();
  });
}
