import { ERR_REASON_MASK, SSL_AD_REASON_OFFSET, SSL_R_RECORD_LAYER_FAILURE } from "./constants.ts";
import { openssl } from "./functions.ts";

/** What OpenSSL says of a failed call. */
export interface OpenSslFailure {
  /** Such as "wrong version number"; "" where the queue was empty. */
  readonly reason: string;
  /** The number of the alert that the peer sent (RFC 8446 §6), null where it was something else. */
  readonly alert: number | null;
}

export const NO_FAILURE: OpenSslFailure = { reason: "", alert: null };

/** Entries that are looked at; the queue holds 16. */
const MOST = 16;

/**
 * Empties this thread's queue of errors and tells the newest. The queue is shared with Node's own use
 * of OpenSSL: leave nothing in it, and decide by results, not by what it holds.
 */
export function takeFailure(): OpenSslFailure {
  const o = openssl();
  let newest = 0;
  for (let i = 0; i < MOST; i++) {
    const error = o.ERR_get_error();
    if (error === 0) break;
    // Says no more than that what stands before it has happened.
    if (newest === 0 || (error & ERR_REASON_MASK) !== SSL_R_RECORD_LAYER_FAILURE) newest = error;
  }
  if (newest === 0) return NO_FAILURE;
  const number = newest & ERR_REASON_MASK;
  const alert = number - SSL_AD_REASON_OFFSET;
  return {
    reason: o.ERR_reason_error_string(newest) ?? `OpenSSL error ${newest.toString(16)}`,
    alert: alert >= 0 && alert <= 255 ? alert : null,
  };
}
