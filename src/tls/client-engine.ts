import type { SslConnection } from "../native/openssl/connection.ts";
import type { TlsEngineOwner } from "./engine.ts";
import { OpenSslEngine } from "./openssl-engine.ts";

/** What a client's engine needs of its `TlsClient`. */
export interface ClientSide {
  /** A connection that is set up for its target. */
  connect(): SslConnection;
  keepSession(ssl: SslConnection): void;
}

export class ClientEngine extends OpenSslEngine {
  protected override readonly serverName: string | null;
  readonly #side: ClientSide;

  constructor(owner: TlsEngineOwner, serverName: string | null, side: ClientSide) {
    super("client", "handshake", owner);
    this.serverName = serverName;
    this.#side = side;
  }

  start(): void {
    if (this.ssl !== null || this.state !== "handshake") return;
    this.ssl = this.#side.connect();
    this.beginHandshake();
  }

  protected override receiveHello(): void {}

  protected override beforeHandshake(): void {}

  protected override keepSession(ssl: SslConnection): void {
    this.#side.keepSession(ssl);
  }
}
