import { below } from "../../core/random.ts";
import type { StackContext } from "../context.ts";
import type { Ip } from "../ip-address.ts";
import { siphash } from "../siphash.ts";

const FIRST = 32_768;
const COUNT = 32_768;

/**
 * Ports that nobody can foretell (RFC 6056). For a connected socket algorithm 3: a keyed hash of the
 * flow says where to begin, a counter goes on from there, so that a port is not used again for the same
 * peer soon. Without a peer algorithm 1: random.
 */
export class EphemeralPorts {
  readonly #context: StackContext;
  readonly #words = new Int32Array(10);
  #counter: number;

  constructor(context: StackContext) {
    this.#context = context;
    this.#counter = below(context.rng, COUNT);
  }

  /** A port for which `isFree` says true, or 0. */
  choose(
    local: Ip | null,
    remote: Ip | null,
    port: number,
    isFree: (port: number) => boolean,
  ): number {
    const flow = remote !== null;
    const offset = flow ? this.#offset(local, remote, port) : below(this.#context.rng, COUNT);
    for (let i = 0; i < COUNT; i++) {
      const step = flow ? this.#counter : i;
      if (flow) this.#counter = (this.#counter + 1) % COUNT;
      const candidate = FIRST + ((offset + step) % COUNT);
      if (isFree(candidate)) return candidate;
    }
    return 0;
  }

  #offset(local: Ip | null, remote: Ip, port: number): number {
    const words = this.#words;
    words[0] = local?.w0 ?? 0;
    words[1] = local?.w1 ?? 0;
    words[2] = local?.w2 ?? 0;
    words[3] = local?.w3 ?? 0;
    words[4] = remote.w0;
    words[5] = remote.w1;
    words[6] = remote.w2;
    words[7] = remote.w3;
    words[8] = port;
    words[9] = 17;
    return siphash(this.#context.secret, words, 10) % COUNT;
  }
}
