import type { Mac } from "../../wire/mac.ts";
import type { Ip } from "../ip-address.ts";

/** A probe that runs. */
export interface ConflictProbe {
  /** Ends it; `done` is not called. */
  cancel(): void;
}

/** IPv4 address conflict detection of one interface (RFC 5227). */
export class AddressConflicts {
  /**
   * Probes for an address that is not assigned yet (§2.1.1), 4 to 7 seconds. `done` is called once:
   * with the link address of who uses it or probes for it, too, or null when nobody does. The caller
   * then adds it as `preferred`, which announces it.
   */
  probe(_ip: Ip, _done: (conflict: Mac | null) => void): ConflictProbe {
    return { cancel() {} };
  }
}
