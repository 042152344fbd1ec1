import type { TlsClient } from "../../tls/client.ts";
import type { PeerTls } from "../peer.ts";

/** Makes a client for settings of a peer. Throws a NetError that says what is wrong with them. */
export type PeerClientFactory = (tls: PeerTls) => TlsClient;

interface Entry {
  readonly client: TlsClient;
  users: number;
}

/** The TLS clients of peers by address: one for all peers with the same trust and identity. */
export class PeerClients {
  readonly #make: PeerClientFactory;
  readonly #entries = new Map<string, Entry>();

  constructor(make: PeerClientFactory) {
    this.#make = make;
  }

  /** `giveBack` it for as often as it was taken. */
  take(tls: PeerTls): TlsClient {
    const key = trustKey(tls);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { client: this.#make(tls), users: 0 };
      this.#entries.set(key, entry);
    }
    entry.users++;
    return entry.client;
  }

  giveBack(tls: PeerTls): void {
    const key = trustKey(tls);
    const entry = this.#entries.get(key);
    if (entry === undefined || --entry.users > 0) return;
    this.#entries.delete(key);
    // Connections that live go on.
    entry.client.close();
  }
}

const trustKey = ({ verify, ca, certificate }: PeerTls): string =>
  JSON.stringify([verify ?? true, ca ?? null, certificate ?? null]);

/** Keys of settings that were seen: programs mostly give the same object again. */
const known = new WeakMap<PeerTls, string>();

/** What tells peers at one address apart: connections are shared only where all of this is the same. */
export function peerKey(tls: PeerTls): string {
  let key = known.get(tls);
  if (key === undefined) {
    key = `${trustKey(tls)} ${JSON.stringify([tls.serverName ?? null, tls.verifyName ?? null])}`;
    known.set(tls, key);
  }
  return key;
}
