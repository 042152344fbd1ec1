import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { NetError } from "../../../core/errors.ts";
import { after, seconds } from "../../../core/time.ts";
import type { Stream, StreamHandler, Timer, TimerTarget } from "../../../core/transport.ts";
import { NodeTransport } from "../../../drivers/node/transport.ts";
import { parseClientHello } from "../../../tls/client-hello.ts";
import type { TlsAcceptOptions, TlsAcceptor } from "../../../tls/stream-api.ts";
import { NodeTlsStream } from "./node-tls-stream.ts";
import { StreamDuplex } from "./stream-duplex.ts";

const DEFAULT_TIMEOUT = seconds(10);

/** A client's connection until its handshake by `node:tls` is complete. */
export class NodeHandshake implements StreamHandler, TimerTarget {
  readonly #raw: Stream;
  readonly #options: TlsAcceptOptions;
  readonly #acceptor: TlsAcceptor;
  readonly #begin: (handshake: NodeHandshake, duplex: Duplex) => void;
  readonly #timer: Timer;
  /** What came before the hello was whole. */
  #seen = Buffer.alloc(0);
  #duplex: StreamDuplex | null = null;
  #over = false;

  constructor(
    raw: Stream,
    options: TlsAcceptOptions,
    acceptor: TlsAcceptor,
    begin: (handshake: NodeHandshake, duplex: Duplex) => void,
  ) {
    this.#raw = raw;
    this.#options = options;
    this.#acceptor = acceptor;
    this.#begin = begin;
    const { transport, timeout = DEFAULT_TIMEOUT } = options;
    this.#timer = transport.schedule(this, after(transport.now(), timeout));
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    const { onHello } = this.#options;
    this.#seen = Buffer.concat([this.#seen, buf.subarray(start, end)]);
    const hello = parseClientHello(this.#seen, 0, this.#seen.length);
    if (hello === "incomplete") return;
    // What is no hello is Node's to refuse, with the alert that it thinks right.
    const other = typeof hello === "string" ? null : (onHello?.(hello, this.#raw) ?? null);
    if (other === null) return this.#handOver();
    this.#end();
    this.#raw.handler = other;
    other.onData(this.#seen, 0, this.#seen.length);
  }

  onWritable(): void {}

  onEnd(): void {
    this.#fail("the client closed before its hello was whole");
  }

  onClose(error: NetError | null): void {
    this.#fail(error?.message ?? "the client closed the connection");
  }

  onTimer(): void {
    if (this.#over) return;
    this.#fail("not complete in time", "TLS_TIMEOUT");
  }

  /** The handshake is complete. */
  onSecured(socket: TLSSocket): void {
    const { transport } = this.#options;
    if (this.#over) return void socket.destroy();
    if (!(transport instanceof NodeTransport)) throw new TypeError("node:tls is for node:net");
    const shown = socket.getPeerX509Certificate() !== undefined;
    if (shown && !socket.authorized) {
      socket.destroy();
      return this.#fail("", "TLS_CERTIFICATE", socket.authorizationError);
    }
    this.#end();
    const stream = new NodeTlsStream(transport, socket, this.#raw, null);
    const handler = this.#acceptor(stream);
    if (handler === null) stream.abort();
    else stream.adopt(handler);
  }

  onFailed(error: Error): void {
    const { code = "" } = error as NodeJS.ErrnoException;
    const reason = /routines:[^:]*:([^:]*)/.exec(error.message)?.[1] ?? error.message;
    const certificate = /certificate/i.test(code);
    this.#fail(reason, certificate ? "TLS_CERTIFICATE" : "TLS_HANDSHAKE");
  }

  #handOver(): void {
    const duplex = new StreamDuplex();
    duplex.attach(this.#raw);
    this.#duplex = duplex;
    this.#raw.handler = duplex;
    duplex.on("close", () => this.#fail("the client closed the connection"));
    duplex.on("error", () => {});
    this.#begin(this, duplex);
    duplex.onData(this.#seen, 0, this.#seen.length);
    this.#seen = Buffer.alloc(0);
  }

  #fail(
    why: string,
    code: "TLS_HANDSHAKE" | "TLS_CERTIFICATE" | "TLS_TIMEOUT" = "TLS_HANDSHAKE",
    refused: unknown = null,
  ): void {
    if (this.#over) return;
    this.#end();
    const message =
      code === "TLS_CERTIFICATE"
        ? `the client's certificate is not accepted: ${refused ?? why}`
        : `TLS handshake: ${why}`;
    if (this.#duplex === null) this.#raw.close();
    else this.#duplex.destroy();
    const error = new NetError(code, message, { source: "downstream" });
    this.#options.onFailure?.(error, this.#raw.remote);
  }

  #end(): void {
    this.#over = true;
    this.#timer.cancel();
  }
}
