/** What was negotiated in the handshake. */
export interface NegotiatedOptions {
  readonly sack: boolean;
  readonly timestamps: boolean;
  /** Bytes of payload of one segment, options of every segment taken off. */
  readonly mss: number;
}
