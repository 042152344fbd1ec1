import type { SocketAddress } from "../../core/address.ts";
import type { NetError } from "../../core/errors.ts";
import type { Duration } from "../../core/time.ts";
import type { Stream, StreamHandler } from "../../core/transport.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpInfo } from "./info.ts";
import type { TcpOwner } from "./owner.ts";
import type { TcpSettings } from "./settings.ts";

/** A TCP connection as a `Stream`: what applications hold. */
export class TcpStream implements Stream, TcpOwner {
  handler: StreamHandler;
  closed = false;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #connection: TcpConnection;

  constructor(
    connection: TcpConnection,
    local: SocketAddress,
    remote: SocketAddress,
    handler: StreamHandler,
  ) {
    this.#connection = connection;
    this.local = local;
    this.remote = remote;
    this.handler = handler;
  }

  get queued(): number {
    return this.#connection.queued;
  }

  write(_buf: Uint8Array, _start: number, _end: number): boolean {
    return false;
  }

  end(): void {}
  close(): void {}
  abort(): void {}
  pause(): void {}
  resume(): void {}

  set noDelay(on: boolean) {
    this.#connection.noDelay = on;
  }

  set cork(on: boolean) {
    this.#connection.cork = on;
  }

  set keepAlive(setting: TcpSettings["keepAlive"]) {
    this.#connection.keepAlive = setting;
  }

  set userTimeout(timeout: Duration) {
    this.#connection.userTimeout = timeout;
  }

  set linger(linger: Duration | null) {
    this.#connection.linger = linger;
  }

  info(): TcpInfo {
    return this.#connection.info();
  }

  onEstablished(): void {}
  onData(_bytes: Uint8Array, _start: number, _end: number): void {}
  onEnd(): void {}
  onAcknowledged(): void {}
  onClosed(_error: NetError | null): void {}
}
