import type { StackContext } from "../context.ts";
import type { Ip } from "../ip-address.ts";

/** Identifications of IPv4 packets and IPv6 fragments. */
export class Identifications {
  constructor(_context: StackContext) {}

  /** 32 bits, unsigned, of which IPv4 takes the low 16. */
  next(_source: Ip, _destination: Ip, _protocol: number): number {
    return 0;
  }
}
