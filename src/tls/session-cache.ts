import type { SslSession } from "../native/openssl/session.ts";

/** Sessions of a client, the last one of each target; the least recently used goes first. Owns them. */
export class SessionCache {
  readonly #sessions = new Map<string, SslSession>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** A session that may be tried; it stays the cache's. */
  find(key: string): SslSession | null {
    const session = this.#sessions.get(key);
    if (session === undefined) return null;
    this.#sessions.delete(key);
    if (session.resumable) {
      this.#sessions.set(key, session);
      return session;
    }
    session.close();
    return null;
  }

  /** Takes the session over. */
  keep(key: string, session: SslSession): void {
    this.#sessions.get(key)?.close();
    this.#sessions.delete(key);
    if (this.#most <= 0) {
      session.close();
      return;
    }
    this.#sessions.set(key, session);
    if (this.#sessions.size <= this.#most) return;
    const [oldest] = this.#sessions.keys();
    this.#sessions.get(oldest!)?.close();
    this.#sessions.delete(oldest!);
  }

  clear(): void {
    for (const session of this.#sessions.values()) session.close();
    this.#sessions.clear();
  }
}
