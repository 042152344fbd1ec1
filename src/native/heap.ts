import { nativeAvailable, optionalFunction } from "./libc.ts";

type Trim = (keep: number) => number;

let trim: Trim | null | undefined;

/**
 * Gives memory that the C heap holds but does not use back to the system (glibc's malloc_trim(3)).
 * JavaScript's own heap is not in it, but buffers, compilers and koffi are: after a burst of
 * connections this was 11 MB. Takes milliseconds and the allocator's locks: for quiet moments. False
 * where there is nothing to call (musl) or nothing was to be had.
 */
export function trimHeap(): boolean {
  if (trim === undefined) {
    trim =
      nativeAvailable() === null
        ? (optionalFunction("int malloc_trim(size_t)") as Trim | null)
        : null;
  }
  return trim !== null && trim(0) === 1;
}
