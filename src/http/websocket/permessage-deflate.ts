import { type Extension, parseExtensions } from "./extension-list.ts";

/**
 * The agreement on permessage-deflate (RFC 7692 §7.1). We always agree to no context takeover, in both
 * directions: no memory is kept between messages, and each can be changed or dropped by itself.
 */
export interface DeflateAgreement {
  /** Bits of the window that the peer keeps for what we send, 9 – 15. */
  readonly windowBits: number;
}

const NAME = "permessage-deflate";
const NO_TAKEOVER = "server_no_context_takeover; client_no_context_takeover";

/** What we offer as a client. */
export const DEFLATE_OFFER = `${NAME}; ${NO_TAKEOVER}`;

/** What zlib takes; it has no raw windows of 8 bits. */
const MOST_BITS = 15;
const LEAST_BITS = 9;

/** As a server: the first offer among a client's extensions that we can accept, and the answer. */
export function acceptDeflate(
  offers: string,
): { readonly agreement: DeflateAgreement; readonly answer: string } | null {
  for (const offer of parseExtensions(offers) ?? []) {
    const windowBits = offer.name === NAME ? bitsOffered(offer) : 0;
    if (windowBits === 0) continue;
    const named = offer.params.has("server_max_window_bits");
    const bits = named ? `; server_max_window_bits=${windowBits}` : "";
    return { agreement: { windowBits }, answer: `${NAME}; ${NO_TAKEOVER}${bits}` };
  }
  return null;
}

/** The window that an offer leaves to us; 0 for one to be declined (§7.1: unknown, or out of range). */
function bitsOffered({ params }: Extension): number {
  let windowBits = MOST_BITS;
  for (const [name, value] of params) {
    if (name === "server_no_context_takeover" || name === "client_no_context_takeover") {
      if (value !== null) return 0;
    } else if (name === "client_max_window_bits") {
      if (value !== null && bitsIn(value) === 0) return 0;
    } else if (name === "server_max_window_bits") {
      windowBits = value === null ? 0 : bitsIn(value);
      if (windowBits < LEAST_BITS) return 0;
    } else return 0;
  }
  return windowBits;
}

/**
 * As a client that sent `DEFLATE_OFFER`: what the server's extensions agree to. null: to nothing;
 * "invalid": to something that was not offered, and the connection must fail (RFC 6455 §4.1).
 */
export function readDeflateAnswer(answer: string | null): DeflateAgreement | null | "invalid" {
  if (answer === null) return null;
  const list = parseExtensions(answer);
  if (list === null || list.length !== 1 || list[0]!.name !== NAME) return "invalid";
  const { params } = list[0]!;
  if (!params.has("server_no_context_takeover")) return "invalid";
  for (const [name, value] of params) {
    if (name === "server_no_context_takeover" || name === "client_no_context_takeover") {
      if (value !== null) return "invalid";
      // §7.1.2.1: a server may make its own window smaller unasked; ours it may not (§7.1.2.2).
    } else if (name !== "server_max_window_bits" || value === null || bitsIn(value) === 0) {
      return "invalid";
    }
  }
  return { windowBits: MOST_BITS };
}

/** 8 – 15, written without leading zeros (§7.1.2); 0 for anything else. */
const bitsIn = (value: string): number => (/^([89]|1[0-5])$/.test(value) ? Number(value) : 0);
