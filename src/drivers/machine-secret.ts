import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { SipKey } from "../netstack/siphash.ts";

/** Where Linux keeps what tells an installation from all others (machine-id(5)). */
const MACHINE_ID = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
const PURPOSE = "millrace: stable IPv6 addresses, RFC 7217";

/**
 * A secret that is the same on this machine at each start, for stable addresses; null where the machine
 * has no identity, as in many containers. The identity itself cannot be told from it: who knows an
 * address learns nothing that other programs derive from there.
 */
export function machineSecret(files: readonly string[] = MACHINE_ID): SipKey | null {
  for (const file of files) {
    const id = readId(file);
    if (id === null) continue;
    const digest = createHmac("sha256", id).update(PURPOSE).digest();
    const word = (at: number): number => digest.readInt32LE(at);
    return [word(0), word(4), word(8), word(12)];
  }
  return null;
}

/** Null for what is not there, and for what is yet to be filled in ("uninitialized"). */
function readId(file: string): string | null {
  try {
    const text = readFileSync(file, "latin1").trim();
    return /^[0-9a-f]{32}$/.test(text) ? text : null;
  } catch {
    return null;
  }
}
