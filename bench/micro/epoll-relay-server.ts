/** A relay of bytes over the epoll transport: PORT ORIGIN_PORT. It assumes one read per message. */
import type { IpAddress, SocketAddress } from "../../src/core/address.ts";
import type { ConnectHandler, Stream, StreamHandler } from "../../src/core/transport.ts";
import { createEpollTransport } from "../../src/drivers/epoll/transport.ts";

const loopback = (port: string | undefined): SocketAddress => ({
  kind: "ip",
  ip: "127.0.0.1" as IpAddress,
  port: Number(port),
});
const origin = loopback(process.argv[3]);
const receiveBufferSize = Number(process.env.RECEIVE_KIB ?? 256) * 1024;
const transport = createEpollTransport({
  receiveBufferSize,
  onFault: (error) => console.error(error),
});
const idle: Upstream[] = [];

class Client implements StreamHandler {
  readonly stream: Stream;
  upstream: Upstream | null = null;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.upstream ??= idle.pop() ?? new Upstream();
    this.upstream.client = this;
    this.upstream.stream.write(buf, start, end);
  }

  onWritable(): void {
    this.upstream?.stream.resume();
  }

  /** wrk leaves at the end of its time, in the middle of a request. */
  onEnd(): void {
    if (this.upstream === null) this.stream.end();
    else this.stream.abort();
  }

  onClose(): void {
    this.upstream?.stream.abort();
  }
}

class Upstream implements ConnectHandler {
  client: Client | null = null;
  readonly stream: Stream = transport.connect(origin, {}, this);

  onConnect(): void {}

  onData(buf: Uint8Array, start: number, end: number): void {
    const { client } = this;
    if (client === null) return;
    if (client.stream.write(buf, start, end)) this.stream.pause();
    // A message of more than one read would come back to an upstream without a client; the large
    // body of a throughput run is told by its full reads.
    if (end < receiveBufferSize && !large) {
      this.client = null;
      client.upstream = null;
      idle.push(this);
    }
  }

  onWritable(): void {}

  onEnd(): void {
    this.stream.end();
  }

  onClose(): void {
    const at = idle.indexOf(this);
    if (at >= 0) idle.splice(at, 1);
    this.client?.stream.abort();
  }
}

const large = process.argv[4] === "large";
await transport.listen(loopback(process.argv[2]), {}, (stream) => new Client(stream));

process.once("SIGTERM", () => {
  console.error(JSON.stringify(transport.stats));
  transport.close();
  process.exit(0);
});
