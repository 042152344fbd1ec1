import { below, type Rng } from "../../core/random.ts";
import type { Ip } from "../ip-address.ts";
import type { SecretNumbers } from "./initial-sequence.ts";

/** The range of ephemeral ports: RFC 6056 §3.2 wants it large; the upper half leaves services alone. */
export const FIRST_EPHEMERAL = 32_768;
export const LAST_EPHEMERAL = 65_535;
const COUNT = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;
/** RFC 6056 §3.3.4: entries of the table of counters. */
const COUNTERS = 64;

/**
 * Ephemeral ports by RFC 6056's algorithm 4 (double hash): successive connections to one peer get
 * successive ports from a secret start, so that a port comes back late and nobody else can guess it.
 */
export class EphemeralPorts {
  readonly #secret: SecretNumbers;
  readonly #rng: Rng;
  readonly #counters: Uint32Array;

  constructor(secret: SecretNumbers, rng: Rng) {
    this.#secret = secret;
    this.#rng = rng;
    this.#counters = Uint32Array.from({ length: COUNTERS }, () => rng.u32());
  }

  /** A port for a connection to a peer, or -1 when `taken` says so of all. */
  forPeer(local: Ip, remote: Ip, remotePort: number, taken: (port: number) => boolean): number {
    const offset = this.#secret.portOffset(local, remote, remotePort, 0);
    const entry = this.#secret.portOffset(local, remote, remotePort, 1) % COUNTERS;
    for (let tries = 0; tries < COUNT; tries++) {
      const port = FIRST_EPHEMERAL + ((offset + this.#counters[entry]!) % COUNT);
      this.#counters[entry]!++;
      if (!taken(port)) return port;
    }
    return -1;
  }

  /** A port to listen on: a random one, or -1. */
  forListener(taken: (port: number) => boolean): number {
    const start = below(this.#rng, COUNT);
    for (let tries = 0; tries < COUNT; tries++) {
      const port = FIRST_EPHEMERAL + ((start + tries) % COUNT);
      if (!taken(port)) return port;
    }
    return -1;
  }
}
