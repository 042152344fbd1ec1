import { connect, createSecureContext, type SecureContext } from "node:tls";
import { parseIp, type SocketAddress } from "../../../core/address.ts";
import { NetError } from "../../../core/errors.ts";
import { after } from "../../../core/time.ts";
import type { ConnectHandler, Transport } from "../../../core/transport.ts";
import { NodeTransport } from "../../../drivers/node/transport.ts";
import type { TlsClient } from "../../../tls/client.ts";
import type { TlsClientConfig } from "../../../tls/client-config.ts";
import type { TlsEngine } from "../../../tls/engine.ts";
import type { TlsConnectOptions, TlsStream } from "../../../tls/stream-api.ts";
import { NodeTlsStream } from "./node-tls-stream.ts";
import { protocolOptions } from "./protocol-options.ts";
import { StreamDuplex } from "./stream-duplex.ts";
import { checkServerName } from "./verify-name.ts";

/** Sessions kept, one a target. */
const MOST_SESSIONS = 256;

/** The client's side of TLS by `node:tls`, where OpenSSL cannot be called. */
export class NodeTlsClient implements TlsClient {
  readonly #config: TlsClientConfig;
  readonly #context: SecureContext;
  readonly #sessions = new Map<string, Buffer>();

  /** Throws a NetError (EINVAL) that says what is wrong with which certificate or setting. */
  constructor(config: TlsClientConfig) {
    this.#config = config;
    const { ca, certificate } = config;
    try {
      this.#context = createSecureContext({
        ...protocolOptions(config),
        ca: ca.map((pem) => Buffer.from(pem)),
        ...(certificate !== undefined && {
          cert: Buffer.from(certificate.certificate),
          key: Buffer.from(certificate.key),
        }),
      });
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new NetError("EINVAL", message, { source: "internal", cause });
    }
  }

  engine(): TlsEngine {
    throw new TypeError("node:tls has no engine without streams");
  }

  connect(
    transport: Transport,
    address: SocketAddress,
    options: TlsConnectOptions,
    handler: ConnectHandler,
  ): TlsStream {
    if (!(transport instanceof NodeTransport)) throw new TypeError("node:tls is for node:net");
    const { target, timeout, ...rest } = options;
    const { serverName, verifyName = serverName } = target;
    const sent = parseIp(serverName) === null ? serverName : "";
    const duplex = new StreamDuplex();
    const raw = transport.connect(address, rest, duplex);
    duplex.attach(raw);
    const key = JSON.stringify([sent, verifyName, target.sessionKey ?? ""]);
    const session = this.#sessions.get(key);
    const { alpn, verify, keyLog } = this.#config;
    const socket = connect({
      socket: duplex,
      secureContext: this.#context,
      servername: sent,
      rejectUnauthorized: verify !== "none",
      checkServerIdentity: (_, certificate) => checkServerName(verifyName, certificate.raw),
      ...(alpn !== undefined && { ALPNProtocols: [...alpn] }),
      ...(session !== undefined && { session }),
    });
    const stream = new NodeTlsStream(transport, socket, raw, handler);
    socket.on("session", (one: Buffer) => this.#keep(key, one));
    socket.on("secureConnect", () => stream.secured());
    if (keyLog !== undefined) {
      socket.on("keylog", (line: Buffer) => keyLog(line.toString("latin1").trimEnd()));
    }
    if (timeout !== undefined) {
      stream.connectTimer = transport.schedule(stream, after(transport.now(), timeout));
    }
    return stream;
  }

  close(): void {
    this.#sessions.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #keep(key: string, session: Buffer): void {
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size <= MOST_SESSIONS) return;
    const [oldest] = this.#sessions.keys();
    this.#sessions.delete(oldest!);
  }
}
