import type { SocketAddress } from "../../core/address.ts";
import type { Listener, StreamHandler } from "../../core/transport.ts";
import type { TcpStream } from "./tcp-stream.ts";

/** Called for each accepted stream; returns its owner, or null to refuse (the stream is aborted). */
export type TcpAcceptor = (stream: TcpStream) => StreamHandler | null;

/** A port on which connections are accepted (RFC 9293 §3.3.2: LISTEN). */
export class TcpListener implements Listener {
  readonly address: SocketAddress;

  constructor(address: SocketAddress) {
    this.address = address;
  }

  pause(): void {}
  resume(): void {}
  close(): void {}
}
