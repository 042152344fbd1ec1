import type { Codec, CodecHandler } from "../../../compression/codec.ts";

/** A codec that does nothing but what the test says, when it says it: it shows what a stage asks of one. */
export class ManualCodec implements Codec {
  /** What was asked, in order: "write:LENGTH", with "+flush"; "finish:LENGTH", "pause", "resume". */
  readonly asked: string[] = [];
  destroyed = false;
  readonly handler: CodecHandler;

  constructor(handler: CodecHandler) {
    this.handler = handler;
  }

  /** What was asked since the last look. */
  news(): string[] {
    return this.asked.splice(0);
  }

  write(piece: Uint8Array, flush: boolean): void {
    this.asked.push(`write:${piece.length}${flush ? "+flush" : ""}`);
  }

  finish(piece: Uint8Array): void {
    this.asked.push(`finish:${piece.length}`);
  }

  pause(): void {
    this.asked.push("pause");
  }

  resume(): void {
    this.asked.push("resume");
  }

  destroy(): void {
    this.destroyed = true;
  }
}
