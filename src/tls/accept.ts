import { NetError as Failure, type NetError } from "../core/errors.ts";
import { seconds } from "../core/time.ts";
import type { Acceptor, Stream } from "../core/transport.ts";
import type { ClientHello } from "./client-hello.ts";
import type { HelloVerdict } from "./server-config.ts";
import type { TlsAcceptOptions, TlsAcceptor } from "./stream-api.ts";
import { LayeredStream, NOBODY } from "./tls-stream.ts";

const DEFAULT_TIMEOUT = seconds(10);

/** An acceptor for `Transport.listen` that puts TLS in front of another. */
export const acceptTls =
  (options: TlsAcceptOptions, acceptor: TlsAcceptor): Acceptor =>
  (raw) =>
    options.server.accept?.(raw, options, acceptor) ?? new AcceptedStream(raw, options, acceptor);

class AcceptedStream extends LayeredStream {
  readonly #options: TlsAcceptOptions;
  readonly #acceptor: TlsAcceptor;
  #accepted = false;

  constructor(raw: Stream, options: TlsAcceptOptions, acceptor: TlsAcceptor) {
    super(options.transport);
    this.#options = options;
    this.#acceptor = acceptor;
    this.raw = raw;
    const { onHello } = options;
    this.engine = options.server.engine(
      this,
      onHello === undefined
        ? undefined
        : (hello, buf, start, end) => this.#onHello(hello, buf, start, end),
    );
    this.startTimer(options.timeout ?? DEFAULT_TIMEOUT);
  }

  protected override tellHandshake(): void {
    this.#accepted = true;
    const handler = this.#acceptor(this);
    if (handler === null) this.abort();
    else if (!this.closed) this.handler = handler;
    else handler.onClose(null);
  }

  protected override tellClose(error: NetError | null): void {
    const { handler } = this;
    this.handler = NOBODY;
    if (this.#accepted) handler.onClose(error);
    else if (error !== null) this.#options.onFailure?.(error, this.remote);
  }

  protected override timeoutError(): NetError {
    return new Failure("TLS_TIMEOUT", "TLS handshake: not complete in time", {
      source: "downstream",
    });
  }

  /** Whoever takes the stream over is told what has come so far; we are out of it. */
  #onHello(hello: ClientHello, buf: Uint8Array, start: number, end: number): HelloVerdict {
    const { raw } = this;
    const handler = this.#options.onHello!(hello, raw);
    if (handler === null) return "terminate";
    this.stopTimer();
    this.closed = true;
    raw.handler = handler;
    handler.onData(buf, start, end);
    return "release";
  }
}
