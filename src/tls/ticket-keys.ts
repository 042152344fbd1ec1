import { NetError } from "../core/errors.ts";
import { TICKET_KEY_LENGTH } from "./server-config.ts";

/** Keys that still open tickets, beside the newest: each costs a comparison per handshake. */
const MOST_KEYS = 16;
const NAME = 16;

/** The keys of session tickets, newest first. Copies, which `clear` and `replace` fill with zeros. */
export class TicketKeys {
  #keys: readonly Uint8Array[];

  constructor(keys: readonly Uint8Array[]) {
    this.#keys = copies(keys);
  }

  get newest(): Uint8Array {
    return this.#keys[0]!;
  }

  /** Throws EINVAL; then the old ones stay. */
  replace(keys: readonly Uint8Array[]): void {
    const fresh = copies(keys);
    this.clear();
    this.#keys = fresh;
  }

  /** The key that made a ticket, by the name it bears (RFC 5077 §4); null for the newest and others. */
  olderNamed(name: Uint8Array): Uint8Array | null {
    for (let i = 0; i < this.#keys.length; i++) {
      const key = this.#keys[i]!;
      if (startsWith(key, name)) return i === 0 ? null : key;
    }
    return null;
  }

  clear(): void {
    for (const key of this.#keys) key.fill(0);
  }
}

function copies(keys: readonly Uint8Array[]): readonly Uint8Array[] {
  const fits = keys.every((key) => key.length === TICKET_KEY_LENGTH);
  if (keys.length === 0 || keys.length > MOST_KEYS || !fits) {
    const lengths = keys.map((key) => key.length).join(", ");
    const message = `ticket keys: 1 to ${MOST_KEYS} of ${TICKET_KEY_LENGTH} bytes each, not [${lengths}]`;
    throw new NetError("EINVAL", message, { source: "internal" });
  }
  return keys.map((key) => Uint8Array.from(key));
}

/** A ticket's name is public: no need to compare in constant time. */
function startsWith(key: Uint8Array, name: Uint8Array): boolean {
  for (let i = 0; i < NAME; i++) if (key[i] !== name[i]) return false;
  return true;
}
