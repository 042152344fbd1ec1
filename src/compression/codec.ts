/** Codings that bodies are given (RFC 9110 §8.4.1, RFC 7932, RFC 8878). */
export type EncodedCoding = "gzip" | "br" | "zstd";

/** Codings that can be taken off a body: "deflate" is sent by some, in either of its two readings. */
export type DecodedCoding = EncodedCoding | "deflate";

/** Hears of a codec. Calls may come from within the codec's methods or later. */
export interface CodecHandler {
  /** A part of the output; the receiver's to keep. Not while the codec is paused. */
  onOutput(bytes: Uint8Array): void;
  /** The piece given to `write` is worked off; the next may come. */
  onTaken(): void;
  /**
   * The last output was told. It follows `finish`; of a decoder it may come before, where the coded
   * data ends by itself: what is behind that means nothing, and is not to be written.
   */
  onEnd(): void;
  /** What was given is not in the coding, or ended too early; or a fault. Last. */
  onError(error: Error): void;
}

/** One body on its way into a coding or out of it. */
export interface Codec {
  /** Works on a piece, which it may read until `onTaken`. One at a time. `flush`: tells all the output
   *  by which a decoder comes as far as this. */
  write(piece: Uint8Array, flush: boolean): void;
  /** The last piece, which may be empty. Not before the one before was taken. */
  finish(piece: Uint8Array): void;
  /** Stops output; what is under way waits, in bounded memory. */
  pause(): void;
  resume(): void;
  /** Gives everything back, whatever is under way; no call follows. */
  destroy(): void;
}

export interface EncoderOptions {
  /** The coding's own scale: gzip 1 – 9, br 0 – 11, zstd 1 – 19. */
  readonly level: number;
  /** Each piece is flushed by itself. */
  readonly flushEach: boolean;
}

export interface Codecs {
  encoder(coding: EncodedCoding, options: EncoderOptions, handler: CodecHandler): Codec;
  decoder(coding: DecodedCoding, handler: CodecHandler): Codec;
}
