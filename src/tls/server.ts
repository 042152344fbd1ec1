import type { ClientHello } from "./client-hello.ts";
import type { TlsEngine, TlsEngineOwner } from "./engine.ts";
import type { ServerCertificate } from "./server-config.ts";

/** The server side of TLS for one listener and one worker thread: certificates by name, ticket keys. */
export interface TlsServer {
  /** `onHello`, where given, is called with the parsed hello before the handshake begins. */
  engine(owner: TlsEngineOwner, onHello?: (hello: ClientHello) => void): TlsEngine;
  /**
   * Shows other certificates from now on. Throws a NetError that says what is wrong with which pair;
   * then the old ones stay. Connections that live go on as they are.
   */
  replaceCertificates(certificates: readonly ServerCertificate[]): void;
  /**
   * Keys of `TICKET_KEY_LENGTH` bytes, the same in all workers: the first encrypts new tickets, the
   * others (those before it) still open old ones. Before the first call each server draws its own.
   */
  setTicketKeys(keys: readonly Uint8Array[]): void;
  /** Live engines go on; none can be made. */
  close(): void;
  [Symbol.dispose](): void;
}
