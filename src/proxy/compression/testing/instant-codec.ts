import type { Codec, CodecHandler, Codecs } from "../../../compression/codec.ts";

/** Works off at once, from within the call: output is the input. */
export class InstantCodec implements Codec {
  private readonly handler: CodecHandler;
  private paused = false;
  private pending: (() => void)[] = [];

  constructor(handler: CodecHandler) {
    this.handler = handler;
  }

  write(piece: Uint8Array): void {
    this.when(() => {
      const copy = Uint8Array.from(piece);
      if (copy.length > 0) this.handler.onOutput(copy);
      this.when(() => this.handler.onTaken());
    });
  }

  finish(piece: Uint8Array): void {
    this.when(() => {
      const copy = Uint8Array.from(piece);
      if (copy.length > 0) this.handler.onOutput(copy);
      this.when(() => this.handler.onEnd());
    });
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused && this.pending.length > 0) this.pending.shift()!();
  }

  destroy(): void {
    this.pending = [];
  }

  private when(step: () => void): void {
    if (this.paused) this.pending.push(step);
    else step();
  }
}

/** Codings that leave bytes as they are, for tests in virtual time. */
export const instantCodecs: Codecs = {
  encoder: (_coding, _options, handler) => new InstantCodec(handler),
  decoder: (_coding, handler) => new InstantCodec(handler),
};
