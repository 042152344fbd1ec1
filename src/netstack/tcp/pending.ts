/** What a connection has to send besides the stream and ACKs; bits. */
export const Pending = {
  /** SYN, or SYN+ACK. */
  syn: 1,
  /** The RST of an abort. */
  reset: 2,
  /** A RST for an ACK that fits nothing; the connection lives on. */
  misfit: 4,
  keepAlive: 8,
  windowProbe: 16,
} as const;
