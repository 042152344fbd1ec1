import { randomBytes } from "node:crypto";

/** Bytes that nobody can guess. */
export const randomKey = (length: number): Uint8Array => randomBytes(length);
