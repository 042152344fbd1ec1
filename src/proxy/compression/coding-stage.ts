import type { Codec, CodecHandler } from "../../compression/codec.ts";
import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { NetError } from "../../core/errors.ts";
import { millis } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import { Deadline } from "../deadline.ts";
import type { DecodingLimits } from "./settings.ts";

/** Input that is gathered before it goes to the codec, and what a stage holds beside the codec: twice that. */
const gatherBytes = 64 * 1024;
const smallGather = 8 * 1024;

/** Buffers that large bodies gather in, twice the bound, are kept for the next: fresh pages of memory cost. */
const largeGather = 2 * gatherBytes;
const largeKept = 16;
const largeBuffers: Uint8Array[] = [];

/** How long what was gathered, or lies in the codec, waits for more. */
const flushDelay = millis(10);

/** Up to here a ratio says nothing. */
const ratioFrom = 1024 * 1024;

const nothing = allocBytes(0);

export type StageRole = "decode" | "encode";

/** Whose body passes through a stage. Calls may come from within `write` and `end`, or later. */
export interface StageOwner {
  /** The owner's to keep; not while paused. */
  stageOutput(role: StageRole, bytes: Uint8Array): void;
  /** More is gathered than the bound: no more until `stageDrained`. */
  stageFull(role: StageRole): void;
  stageDrained(role: StageRole): void;
  /** After `end`, the last output having been told. */
  stageEnded(role: StageRole): void;
  stageFailed(role: StageRole, error: NetError): void;
}

export interface StageOptions {
  readonly role: StageRole;
  /** A label for the counts. */
  readonly coding: string;
  /** Input goes to the codec at once, or as soon as it is free. Otherwise, to code well and seldom, once
   *  64 KiB are together, the body ends, or nothing more of it came for 10 ms: then it is flushed, too. */
  readonly eager: boolean;
  /** Of what is decoded. */
  readonly limits: DecodingLimits | null;
}

/**
 * A codec on a body's way: gathers input while the codec works, and says when that is enough. Output
 * waits in the codec while the stage is paused, so memory is bounded whoever is slow.
 */
export class CodingStage implements CodecHandler {
  readonly role: StageRole;
  readonly coding: string;
  bytesIn = 0;
  bytesOut = 0;
  private readonly owner: StageOwner;
  private readonly codec: Codec;
  private readonly transport: Transport;
  private readonly deadline: Deadline;
  private readonly eager: boolean;
  private readonly limits: DecodingLimits | null;
  private gathered: Uint8Array = nothing;
  private length = 0;
  /** What the codec reads, or read last: two buffers take turns. */
  private given: Uint8Array = nothing;
  private busy = false;
  private flushDue = false;
  /** Something was written to the encoder that it may keep to itself. */
  private unflushed = false;
  private full = false;
  private paused = false;
  private ending = false;
  private codecEnded = false;
  private endTold = false;
  private over = false;

  constructor(
    options: StageOptions,
    owner: StageOwner,
    transport: Transport,
    open: (handler: CodecHandler) => Codec,
  ) {
    this.role = options.role;
    this.coding = options.coding;
    this.eager = options.eager;
    this.limits = options.limits;
    this.owner = owner;
    this.transport = transport;
    this.deadline = new Deadline(this, transport);
    this.codec = open(this);
  }

  /** Copies buf[start, end). */
  write(buf: Uint8Array, start: number, end: number): void {
    if (this.over || this.codecEnded || start === end) return;
    this.bytesIn += end - start;
    this.gather(buf, start, end);
    if (!this.eager && !this.deadline.pending) this.awaitMore();
    this.pump();
    if (this.busy && this.length >= gatherBytes && !this.full && !this.over) {
      this.full = true;
      this.owner.stageFull(this.role);
    }
  }

  end(): void {
    this.ending = true;
    this.pump();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    this.codec.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.codec.resume();
    this.pump();
  }

  /** The body is over, or nobody wants it: the owner hears no more. */
  destroy(): void {
    if (this.over) return;
    this.over = true;
    this.deadline.dispose();
    this.codec.destroy();
    keepBuffer(this.gathered);
    // A thread may still read what the codec was given.
    if (!this.busy) keepBuffer(this.given);
    this.gathered = nothing;
    this.given = nothing;
  }

  // ---- what the codec and the clock tell ---------------------------------------------------------

  onOutput(bytes: Uint8Array): void {
    if (this.over) return;
    this.bytesOut += bytes.length;
    if (this.limits !== null && this.isBomb(this.limits)) {
      return this.fail(
        new NetError(
          "BODY_TOO_LARGE",
          `the upstream's ${this.coding} body grows past the limits: ${this.bytesOut} bytes from ${this.bytesIn}`,
          { source: "upstream", status: 502 },
        ),
      );
    }
    this.owner.stageOutput(this.role, bytes);
  }

  onTaken(): void {
    this.busy = false;
    this.pump();
    if (this.full && this.length < gatherBytes && !this.over) {
      this.full = false;
      this.owner.stageDrained(this.role);
    }
  }

  onEnd(): void {
    this.codecEnded = true;
    this.busy = false;
    this.length = 0;
    this.pump();
    if (this.full && !this.over) {
      this.full = false;
      this.owner.stageDrained(this.role);
    }
  }

  onError(cause: Error): void {
    if (this.over) return;
    this.fail(
      this.role === "decode"
        ? new NetError(
            "MALFORMED_MESSAGE",
            `the upstream's body is no whole ${this.coding}: ${cause.message}`,
            { source: "upstream", status: 502, cause },
          )
        : new NetError("INTERNAL", `${this.coding} failed: ${cause.message}`, {
            source: "internal",
            cause,
          }),
    );
  }

  onDeadline(): void {
    this.flushDue = true;
    this.pump();
  }

  // ---- input to the codec ------------------------------------------------------------------------

  private pump(): void {
    if (this.over || this.busy) return;
    if (this.codecEnded || (this.ending && this.role === "decode" && this.bytesIn === 0)) {
      if (this.ending) this.tellEnd();
      return;
    }
    if (this.ending) {
      this.busy = true;
      this.deadline.clear();
      return this.codec.finish(this.take());
    }
    const due = this.flushDue && (this.length > 0 || this.unflushed);
    if (!due && this.length < (this.eager ? 1 : gatherBytes)) return;
    this.flushDue = false;
    this.unflushed = !due && !this.eager;
    this.busy = true;
    if (this.unflushed) this.awaitMore();
    else this.deadline.clear();
    this.codec.write(this.take(), due);
  }

  private awaitMore(): void {
    this.deadline.set(this.transport.now(), flushDelay);
  }

  private tellEnd(): void {
    if (this.paused || this.endTold) return;
    this.endTold = true;
    this.owner.stageEnded(this.role);
  }

  private gather(buf: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.gathered.length) {
      const grown = bufferFor(needed);
      if (this.length > 0) copyBytes(this.gathered, 0, this.length, grown, 0);
      keepBuffer(this.gathered);
      this.gathered = grown;
    }
    copyBytes(buf, start, end, this.gathered, this.length);
    this.length = needed;
  }

  private take(): Uint8Array {
    const piece = this.gathered.subarray(0, this.length);
    const free = this.given;
    this.given = this.gathered;
    this.gathered = free;
    this.length = 0;
    return piece;
  }

  private isBomb({ decodedSize, ratio }: DecodingLimits): boolean {
    const { bytesIn, bytesOut } = this;
    return bytesOut > decodedSize || (bytesOut > ratioFrom && bytesOut > ratio * bytesIn);
  }

  private fail(error: NetError): void {
    const { owner, role } = this;
    this.destroy();
    owner.stageFailed(role, error);
  }
}

function bufferFor(needed: number): Uint8Array {
  if (needed <= smallGather) return allocBytes(smallGather);
  if (needed > largeGather) return allocBytes(needed);
  return largeBuffers.pop() ?? allocBytes(largeGather);
}

function keepBuffer(buffer: Uint8Array): void {
  if (buffer.length === largeGather && largeBuffers.length < largeKept) largeBuffers.push(buffer);
}
