import type { Stream, StreamHandler } from "../../core/transport.ts";
import type { UdpHandler, UdpSender } from "../../netstack/udp/endpoint.ts";
import type { UdpSocket } from "../../netstack/udp/udp-socket.ts";
import { mayAnswer, type Service, ServiceConnection, ServiceCounters } from "./service.ts";

/** RFC 862: sends back what it gets. */
export class EchoService implements Service {
  readonly name = "echo";
  readonly counters = new ServiceCounters();

  accept(stream: Stream): StreamHandler {
    return new EchoConnection(stream, this.counters);
  }

  datagrams(socket: () => UdpSocket): UdpHandler {
    const { counters } = this;
    return {
      onMessage(bytes: Uint8Array, start: number, end: number, from: UdpSender): void {
        counters.datagramsIn++;
        counters.bytesIn += end - start;
        if (!mayAnswer(from)) return;
        const verdict = socket().send(bytes, start, end, { ip: from.ip, port: from.port });
        if (verdict !== "sent") return;
        counters.datagramsOut++;
        counters.bytesOut += end - start;
      },
      onError(): void {},
    };
  }
}

/** A peer that does not read stops being read: nothing piles up beyond the stream's high-water mark. */
class EchoConnection extends ServiceConnection {
  onData(buf: Uint8Array, start: number, end: number): void {
    this.counters.bytesIn += end - start;
    this.counters.bytesOut += end - start;
    if (this.stream.write(buf, start, end)) this.stream.pause();
  }

  override onWritable(): void {
    this.stream.resume();
  }
}
