import type { SocketAddress } from "../core/address.ts";
import type { Stream } from "../core/transport.ts";
import type { TlsConnection } from "../tls/engine.ts";
import type { Forwarding } from "./forwarding.ts";
import type { ProxyContext, ProxyListener } from "./server.ts";
import type { ListenerSettings } from "./settings.ts";

/** What is known of a client's connection, whatever version of HTTP it speaks. */
export abstract class ClientConnection {
  readonly settings: ListenerSettings;
  readonly scheme: "http" | "https";
  readonly tls: TlsConnection | null;
  protected readonly context: ProxyContext;
  protected readonly listener: ProxyListener;
  protected readonly stream: Stream;
  private address: string | null = null;

  constructor(
    context: ProxyContext,
    listener: ProxyListener,
    stream: Stream,
    tls: TlsConnection | null,
  ) {
    this.context = context;
    this.listener = listener;
    this.settings = listener.settings;
    this.stream = stream;
    this.tls = tls;
    this.scheme = tls === null ? "http" : "https";
  }

  get forwarding(): Forwarding {
    return this.listener.forwarding;
  }

  get remote(): SocketAddress {
    return this.stream.remote;
  }

  get local(): SocketAddress {
    return this.stream.local;
  }

  /** The client's IP address, or "unix". */
  get clientAddress(): string {
    if (this.address === null) {
      const { remote } = this.stream;
      this.address = remote.kind === "ip" ? remote.ip : "unix";
    }
    return this.address;
  }
}
