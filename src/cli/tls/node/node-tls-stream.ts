import type { TLSSocket } from "node:tls";
import type { SocketAddress } from "../../../core/address.ts";
import type { ConnectHandler, Stream } from "../../../core/transport.ts";
import { NodeStream, type StreamOwner } from "../../../drivers/node/stream.ts";
import { CertificateFacts } from "../../../native/openssl/certificate-facts.ts";
import type { TlsConnection } from "../../../tls/engine.ts";
import type { TlsStream } from "../../../tls/stream-api.ts";

/** A stream over a socket of `node:tls`, which lies over one of our streams. */
export class NodeTlsStream extends NodeStream implements TlsStream {
  readonly #raw: Stream;
  readonly #secured: TLSSocket;
  #connection: TlsConnection | null = null;

  /** `connecting`: the owner of an outgoing stream; null for one whose handshake is complete. */
  constructor(
    owner: StreamOwner,
    socket: TLSSocket,
    raw: Stream,
    connecting: ConnectHandler | null,
  ) {
    super(owner, socket, raw.local, raw.remote, connecting);
    this.#raw = raw;
    this.#secured = socket;
    socket.once("close", () => raw.close());
    if (connecting === null) this.#connection = settled(socket);
  }

  override get local(): SocketAddress {
    return this.#raw.local;
  }

  get connection(): TlsConnection | null {
    return this.#connection;
  }

  /** The handshake of an outgoing stream is complete. */
  secured(): void {
    this.#connection = settled(this.#secured);
    // What node:net tells of a connection of its own.
    this.#secured.emit("connect");
  }

  /** The stream below is cut, too: what it has queued is not sent. */
  override abort(): void {
    if (this.closed) return;
    this.#raw.abort();
    super.abort();
  }
}

function settled(socket: TLSSocket): TlsConnection {
  const der = socket.getPeerX509Certificate()?.raw;
  // What a server that names none gives is false, against its type.
  const { alpnProtocol, servername } = socket as unknown as Record<string, string | false | null>;
  return {
    version: socket.getProtocol() === "TLSv1.2" ? "TLSv1.2" : "TLSv1.3",
    cipher: socket.getCipher().standardName,
    alpn: alpnProtocol || null,
    serverName: servername || null,
    resumed: socket.isSessionReused(),
    peerCertificate: der === undefined ? null : new CertificateFacts(der),
  };
}
