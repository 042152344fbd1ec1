import type { Stack } from "../stack.ts";
import { type HostAddress, readHost } from "./host-address.ts";
import type { LookupFunction } from "./lookup.ts";
import { systemError } from "./socket-error.ts";

/** Calls back with an address or an error: at once for a literal, after a lookup for a name. */
export function findHost(
  stack: Stack,
  host: string,
  family: 0 | 4 | 6,
  lookup: LookupFunction,
  callback: (error: Error | null, address: HostAddress | null) => void,
): void {
  const literal = readHost(stack, host);
  if (literal !== null) {
    callback(null, literal);
    return;
  }
  lookup(host, { family, all: false }, (error, address) => {
    const found = error ? null : readHost(stack, String(address));
    if (found !== null) callback(null, found);
    else callback(error ?? systemError("EINVAL", "lookup"), null);
  });
}
