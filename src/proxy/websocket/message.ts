/** A message of a WebSocket, whole: put together from its frames, unmasked, inflated. */
export class WebSocketMessage {
  readonly kind: "text" | "binary";
  /** Of a text, UTF-8. The hook's to keep. */
  readonly bytes: Uint8Array;

  constructor(kind: "text" | "binary", bytes: Uint8Array) {
    this.kind = kind;
    this.bytes = bytes;
  }

  /** The bytes read as UTF-8; of a binary message with what is none replaced by U+FFFD. */
  get text(): string {
    return decoder.decode(this.bytes);
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Who sent a message. */
export type MessageDirection = "from-client" | "from-upstream";

/**
 * What becomes of a message: undefined passes it on, null drops it, bytes replace its payload (and keep its
 * kind), a string makes it that text; `close` ends the connection with a code of RFC 6455 §7.4 and up to
 * 123 characters of ASCII.
 */
export type MessageVerdict =
  | undefined
  | void
  | null
  | Uint8Array
  | string
  | { readonly close: number; readonly reason?: string };
