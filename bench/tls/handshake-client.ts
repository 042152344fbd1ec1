/**
 * Connections of TLS 1.3 to 127.0.0.1, one after the other for each client, with one request each:
 * PORT PATH CLIENTS SECONDS full|resume. Prints a `HandshakeCounts` as JSON.
 */
import type { IpAddress, SocketAddress } from "../../src/core/address.ts";
import { bytesOf } from "../../src/core/bytes.ts";
import type { ConnectHandler } from "../../src/core/transport.ts";
import { createEpollTransport } from "../../src/drivers/epoll/transport.ts";
import { createTlsClient } from "../../src/tls/client.ts";
import { connectTls } from "../../src/tls/connect.ts";
import type { TlsStream } from "../../src/tls/stream-api.ts";
import type { HandshakeCounts } from "./handshakes.ts";

const [port, path, clients, seconds, mode] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  "full" | "resume",
];

const transport = createEpollTransport({ onFault: (error) => void console.error(error) });
const client = createTlsClient({
  ca: [],
  verify: "none",
  policy: "modern",
  cipherSuites: "TLS_AES_128_GCM_SHA256",
  // What OpenSSL 3.0 sends a key share for; the hybrid that newer versions prefer is dearer.
  groups: "X25519",
  sessions: mode === "resume" ? 1 : 0,
});
const request = bytesOf(`GET ${path} HTTP/1.1\r\nHost: bench.test\r\nConnection: close\r\n\r\n`);
const address: SocketAddress = { kind: "ip", ip: "127.0.0.1" as IpAddress, port: Number(port) };

const begin = performance.now();
const until = begin + Number(seconds) * 1_000;
const cpuBefore = process.cpuUsage();
let connections = 0;
let resumed = 0;
let errors = 0;
let bytes = 0;
let running = Number(clients);

class Visit implements ConnectHandler {
  readonly #stream: TlsStream;
  #heard = false;
  #good = false;

  constructor() {
    const options = { client, target: { serverName: "bench.test" } };
    this.#stream = connectTls(transport, address, options, this);
  }

  onConnect(): void {
    if (this.#stream.connection?.resumed === true) resumed++;
    this.#stream.write(request, 0, request.length);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!this.#heard) {
      this.#heard = true;
      // "HTTP/1.1 200 OK": the status begins at byte 9.
      this.#good = buf[start + 9] === 0x32;
    }
    bytes += end - start;
  }

  onWritable(): void {}

  onEnd(): void {
    this.#stream.close();
  }

  onClose(): void {
    if (this.#good) connections++;
    else errors++;
    next();
  }
}

function next(): void {
  if (performance.now() < until) new Visit();
  else if (--running === 0) tell();
}

function tell(): void {
  const { user, system } = process.cpuUsage(cpuBefore);
  const counts: HandshakeCounts = {
    connections,
    resumed,
    errors,
    bytes,
    seconds: (performance.now() - begin) / 1e3,
    clientCpu: user + system,
  };
  console.log(JSON.stringify(counts));
  process.exit(0);
}

for (let i = 0; i < Number(clients); i++) new Visit();
