import type { SocketAddress } from "../core/address.ts";
import { NetError } from "../core/errors.ts";
import { type Duration, seconds } from "../core/time.ts";
import type { ConnectHandler, Transport } from "../core/transport.ts";
import type { TlsConnectOptions, TlsStream } from "./stream-api.ts";
import { LayeredStream, NOBODY } from "./tls-stream.ts";

/** For a handshake where no time was given for the whole. */
const DEFAULT_TIMEOUT = seconds(10);

/**
 * Connects as `Transport.connect` does; `onConnect` comes when the handshake is complete. Throws EINVAL
 * for a target that cannot be verified for want of a name.
 */
export function connectTls(
  transport: Transport,
  address: SocketAddress,
  options: TlsConnectOptions,
  handler: ConnectHandler,
): TlsStream {
  const { client } = options;
  return (
    client.connect?.(transport, address, options, handler) ??
    new OutgoingStream(transport, address, options, handler)
  );
}

class OutgoingStream extends LayeredStream {
  readonly #timeout: Duration | undefined;
  #connecting: ConnectHandler | null;
  #connected = false;

  constructor(
    transport: Transport,
    address: SocketAddress,
    options: TlsConnectOptions,
    handler: ConnectHandler,
  ) {
    super(transport);
    this.handler = handler;
    this.#connecting = handler;
    this.#timeout = options.timeout;
    this.engine = options.client.engine(options.target, this);
    this.raw = transport.connect(address, options, this);
    if (this.#timeout !== undefined) this.startTimer(this.#timeout);
  }

  /** The transport's. */
  onConnect(): void {
    this.#connected = true;
    if (this.#timeout === undefined) this.startTimer(DEFAULT_TIMEOUT);
    try {
      this.engine.start();
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      this.fail(error);
    }
  }

  protected override tellHandshake(): void {
    const handler = this.#connecting!;
    this.#connecting = null;
    handler.onConnect();
  }

  protected override tellClose(error: NetError | null): void {
    const { handler } = this;
    this.handler = NOBODY;
    handler.onClose(this.#connecting === null ? error : this.#asHandshake(error));
  }

  protected override timeoutError(): NetError {
    const what = this.#connected ? "TLS handshake: not complete in time" : "no answer in time";
    return new NetError("CONNECT_TIMEOUT", what, { source: "upstream", retry: "always" });
  }

  /** A reset in the middle of the handshake: nothing of a request has gone out yet. */
  #asHandshake(error: NetError | null): NetError | null {
    if (error === null || !this.#connected || error.retry === "always") return error;
    if (error.code.startsWith("TLS_") || error.code === "EINVAL") return error;
    return new NetError("TLS_HANDSHAKE", `TLS handshake: ${error.message}`, {
      source: "upstream",
      retry: "always",
      cause: error,
    });
  }
}
