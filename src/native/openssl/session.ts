import { openssl } from "./functions.ts";
import { live } from "./live-objects.ts";

/** A session for resumption: owns one reference to an SSL_SESSION until `close`. */
export class SslSession {
  #pointer: number;

  /** Takes the reference over. */
  constructor(pointer: number) {
    this.#pointer = pointer;
    live.sessions++;
  }

  /** For `SSL_set_session`, which takes a reference of its own; 0 once closed. */
  get pointer(): number {
    return this.#pointer;
  }

  /** It has a ticket or an id, and nothing has spoilt it. */
  get resumable(): boolean {
    return this.#pointer !== 0 && openssl().SSL_SESSION_is_resumable(this.#pointer) === 1;
  }

  close(): void {
    if (this.#pointer === 0) return;
    openssl().SSL_SESSION_free(this.#pointer);
    this.#pointer = 0;
    live.sessions--;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
