import type { NetError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";

/**
 * RFC 9293 §3.3.2, without LISTEN, which is a listener's and has no connection. The data of a member is
 * what only that state needs; the sequence spaces outlive states and are the connection's.
 */
export type TcpState =
  | { readonly kind: "SynSent" }
  /** `passive`: came from a listener; a simultaneous open did not. */
  | { readonly kind: "SynReceived"; readonly passive: boolean }
  | { readonly kind: "Established" }
  | { readonly kind: "CloseWait" }
  | { readonly kind: "FinWait1" }
  | { readonly kind: "FinWait2" }
  | { readonly kind: "Closing" }
  | { readonly kind: "LastAck" }
  | { readonly kind: "TimeWait"; expiresAt: Instant }
  | { readonly kind: "Closed"; readonly error: NetError | null };

export type TcpStateKind = TcpState["kind"];

export const SYN_SENT: TcpState = Object.freeze({ kind: "SynSent" });
export const SYN_RECEIVED_ACTIVE: TcpState = Object.freeze({ kind: "SynReceived", passive: false });
export const SYN_RECEIVED_PASSIVE: TcpState = Object.freeze({ kind: "SynReceived", passive: true });
export const ESTABLISHED: TcpState = Object.freeze({ kind: "Established" });
export const CLOSE_WAIT: TcpState = Object.freeze({ kind: "CloseWait" });
export const FIN_WAIT_1: TcpState = Object.freeze({ kind: "FinWait1" });
export const FIN_WAIT_2: TcpState = Object.freeze({ kind: "FinWait2" });
export const CLOSING: TcpState = Object.freeze({ kind: "Closing" });
export const LAST_ACK: TcpState = Object.freeze({ kind: "LastAck" });

/** The peer may still send data. */
export const receives = (kind: TcpStateKind): boolean =>
  kind === "Established" || kind === "FinWait1" || kind === "FinWait2";

/** We have not sent our FIN yet: data may still be written. */
export const sends = (kind: TcpStateKind): boolean =>
  kind === "Established" || kind === "CloseWait";
