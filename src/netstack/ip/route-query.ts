import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";

/** What a packet is like, as far as routing asks. Filled by the caller, used again for each packet. */
export class RouteQuery {
  version: 4 | 6 = 4;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  /** Without a source, rules that ask for one do not match. */
  hasSource = false;
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  /** Null: a packet of this host. */
  incoming: Interface | null = null;
  /** Only by this interface (refusals apply all the same); null: any. */
  outgoing: Interface | null = null;

  /** To that destination, everything else open. */
  to(destination: Ip): this {
    this.version = destination.version;
    this.d0 = destination.w0;
    this.d1 = destination.w1;
    this.d2 = destination.w2;
    this.d3 = destination.w3;
    this.hasSource = false;
    this.incoming = null;
    this.outgoing = null;
    return this;
  }

  from(source: Ip): this {
    this.hasSource = true;
    this.s0 = source.w0;
    this.s1 = source.w1;
    this.s2 = source.w2;
    this.s3 = source.w3;
    return this;
  }

  by(outgoing: Interface | null): this {
    this.outgoing = outgoing;
    return this;
  }
}
