import type { Stream, StreamHandler } from "../../core/transport.ts";
import type { UdpHandler } from "../../netstack/udp/endpoint.ts";
import { type Service, ServiceConnection, ServiceCounters } from "./service.ts";

/** RFC 863: takes everything and answers nothing. */
export class DiscardService implements Service {
  readonly name = "discard";
  readonly counters = new ServiceCounters();

  accept(stream: Stream): StreamHandler {
    return new DiscardConnection(stream, this.counters);
  }

  datagrams(): UdpHandler {
    const { counters } = this;
    return {
      onMessage(_bytes: Uint8Array, start: number, end: number): void {
        counters.datagramsIn++;
        counters.bytesIn += end - start;
      },
      onError(): void {},
    };
  }
}

class DiscardConnection extends ServiceConnection {
  onData(_buf: Uint8Array, start: number, end: number): void {
    this.counters.bytesIn += end - start;
  }
}
