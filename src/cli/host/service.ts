import type { Stream, StreamHandler } from "../../core/transport.ts";
import type { UdpHandler, UdpSender } from "../../netstack/udp/endpoint.ts";
import type { UdpSocket } from "../../netstack/udp/udp-socket.ts";

/** What a service has done, for the status page. */
export class ServiceCounters {
  connections = 0;
  open = 0;
  bytesIn = 0;
  bytesOut = 0;
  datagramsIn = 0;
  datagramsOut = 0;
}

/** A service on one port, over TCP and, where it has a meaning there, UDP. */
export interface Service {
  /** As the flag that asks for it. */
  readonly name: string;
  readonly counters: ServiceCounters;
  accept(stream: Stream): StreamHandler;
  /** What answers datagrams; null for a service of TCP alone. */
  datagrams(socket: () => UdpSocket): UdpHandler | null;
}

/**
 * Ports below 1024 are those of services: one that answers another would go on for ever (two echoes, or
 * a chargen and an echo), so datagrams from them are not answered.
 */
export const mayAnswer = (from: UdpSender): boolean => from.port >= 1024;

/** Counts what goes through connections: the part that all services share. */
export abstract class ServiceConnection implements StreamHandler {
  protected readonly stream: Stream;
  protected readonly counters: ServiceCounters;

  constructor(stream: Stream, counters: ServiceCounters) {
    this.stream = stream;
    this.counters = counters;
    counters.connections++;
    counters.open++;
  }

  abstract onData(buf: Uint8Array, start: number, end: number): void;

  onWritable(): void {}

  onEnd(): void {
    this.stream.end();
  }

  onClose(): void {
    this.counters.open--;
  }
}
