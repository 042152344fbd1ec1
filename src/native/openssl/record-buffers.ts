import { viewOf } from "../libc.ts";
import { PinnedMemory, putPointer } from "../memory.ts";
import {
  BIO_C_GET_BUF_MEM_PTR,
  BIO_C_SET_BUF_MEM_EOF_RETURN,
  BIO_CTRL_RESET,
  BIO_FLAGS_NONCLEAR_RST,
} from "./constants.ts";
import { openssl } from "./functions.ts";

/**
 * All connections of a thread read from one BIO and write to one other: a call into OpenSSL begins and
 * ends in our hands, so never do two connections have bytes in them. That spares every connection two
 * BIOs, and lets TypeScript reach the bytes without a call:
 *
 * - the memory BIO's `BUF_MEM` (a public struct: length at word 0, data at 2, max at 4) is seen through
 *   a view, so the input is whatever range we write into it, with nothing copied;
 * - the output gathers in memory that stays where it is, and is lent from there.
 *
 * Both BIOs live as long as the thread.
 */
const LENGTH = 0;
const DATA = 2;
const MAX = 4;
const BUF_MEM_WORDS = 6;

/** What the output holds before it is emptied, and the most that one call may add to that. */
const OUTPUT_BYTES = 512 * 1024;
const OUTPUT_FULL = 128 * 1024;

/** The struct of a memory BIO, which lives as long as the BIO. */
function bufferOf(bio: number): Int32Array {
  const pointer = new PinnedMemory(8);
  openssl().BIO_ctrl(bio, BIO_C_GET_BUF_MEM_PTR, 0, pointer.address);
  const at = Number(pointer.bytes.readBigUInt64LE(0));
  return new Int32Array(viewOf(at, BUF_MEM_WORDS * 4));
}

/** The ciphertext that the next call may read. Lent: the range must outlive that call. */
export class RecordInput {
  readonly bio: number;
  readonly #words: Int32Array;
  readonly #nothing = new PinnedMemory(8);

  constructor() {
    const o = openssl();
    this.bio = o.BIO_new_mem_buf(this.#nothing.address, this.#nothing.length);
    // An empty BIO means "not yet" and not "never": the end of a transport is not OpenSSL's affair.
    o.BIO_ctrl(this.bio, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, 0);
    this.#words = bufferOf(this.bio);
    this.clear();
  }

  /** Bytes that were lent and not read. */
  get remaining(): number {
    return this.#words[LENGTH]!;
  }

  /** The range must be valid: nothing checks it any more. */
  lend(address: number, length: number): void {
    const words = this.#words;
    words[LENGTH] = length;
    words[LENGTH + 1] = 0;
    putPointer(words, DATA, address);
    words[MAX] = length;
    words[MAX + 1] = 0;
  }

  clear(): void {
    this.lend(this.#nothing.address, 0);
  }
}

/** The ciphertext that calls have written: bytes[from, length), where `from` is the length before. */
export class RecordOutput {
  readonly bio: number;
  readonly #words: Int32Array;
  #bytes: Uint8Array;
  #low: number;
  #high: number;
  #lent = 0;

  constructor() {
    const o = openssl();
    this.bio = o.BIO_new(o.BIO_s_mem());
    // OpenSSL grows such a buffer to 4/3 of what is asked for.
    const zeros = new PinnedMemory((OUTPUT_BYTES / 4) * 3);
    o.BIO_write(this.bio, zeros.address, zeros.length);
    // Without it a reset clears all of the memory each time.
    o.BIO_set_flags(this.bio, BIO_FLAGS_NONCLEAR_RST);
    this.#words = bufferOf(this.bio);
    this.#low = this.#words[DATA]!;
    this.#high = this.#words[DATA + 1]!;
    this.#bytes = this.#view();
    this.#empty();
  }

  get length(): number {
    return this.#words[LENGTH]!;
  }

  /** The memory of the output; good until the next call into OpenSSL. */
  get bytes(): Uint8Array {
    const words = this.#words;
    // It was made long enough never to move; if a version of OpenSSL moved it, the old view is stale.
    if (words[DATA] !== this.#low || words[DATA + 1] !== this.#high) {
      this.#low = words[DATA]!;
      this.#high = words[DATA + 1]!;
      this.#bytes = this.#view();
    }
    return this.#bytes;
  }

  /** Bytes of the output itself, which no call may read from while it writes. */
  owns(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#bytes.buffer;
  }

  /** Makes room before a call that may write; what was written before is gone unless it is lent. */
  prepare(): void {
    if (this.#words[LENGTH]! <= OUTPUT_FULL) return;
    if (this.#lent === 0) this.#empty();
    else if (this.#words[LENGTH]! > OUTPUT_BYTES - OUTPUT_FULL) {
      throw new Error("TLS inside of TLS: nested too deep");
    }
  }

  /** Between these two the bytes stay, although calls may write behind them. */
  beginLoan(): void {
    this.#lent++;
  }

  endLoan(): void {
    this.#lent--;
  }

  #empty(): void {
    this.#words[LENGTH] = 0;
    openssl().BIO_ctrl(this.bio, BIO_CTRL_RESET, 0, 0);
  }

  #view(): Uint8Array {
    const words = this.#words;
    const address = (words[DATA]! >>> 0) + words[DATA + 1]! * 0x1_0000_0000;
    return Buffer.from(viewOf(address, words[MAX]!));
  }
}

let input: RecordInput | null = null;
let output: RecordOutput | null = null;

/** This thread's. */
export const recordInput = (): RecordInput => (input ??= new RecordInput());

/** This thread's. */
export const recordOutput = (): RecordOutput => (output ??= new RecordOutput());

/** Whether this OpenSSL's memory BIOs are as we take them to be: null, or what is not. */
export function checkRecordBuffers(): string | null {
  const o = openssl();
  const memory = new PinnedMemory(64);
  memory.bytes.write("0123456789", "latin1");
  const into = recordInput();
  into.lend(memory.address, 10);
  const read = o.BIO_read(into.bio, memory.address + 32, 4);
  const text = memory.bytes.toString("latin1", 32, 36);
  if (read !== 4 || text !== "0123" || into.remaining !== 6) return "memory BIOs read otherwise";
  into.clear();
  if (o.BIO_read(into.bio, memory.address + 32, 4) !== -1) return "memory BIOs end otherwise";
  const out = recordOutput();
  const from = out.length;
  o.BIO_write(out.bio, memory.address, 10);
  const written = Buffer.from(out.bytes.buffer, out.bytes.byteOffset + from, 10);
  if (out.length !== from + 10 || written.toString("latin1") !== "0123456789") {
    return "memory BIOs write otherwise";
  }
  return null;
}
