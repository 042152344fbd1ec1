/** Why a connection is closed (RFC 6455 §7.4.1), as far as the stack says it itself. */
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  /** Never on the wire: the Close frame named no code. */
  none: 1005,
  invalidPayload: 1007,
  tooBig: 1009,
  internalError: 1011,
} as const;

/**
 * Whether a Close frame may carry the code (§7.4): those of the RFC and of IANA's registry that are for
 * the wire, and the ranges for libraries and applications.
 */
export function isCloseCode(code: number): boolean {
  if (code >= 1000 && code <= 1014) return code !== 1004 && code !== 1005 && code !== 1006;
  return code >= 3000 && code <= 4999;
}
