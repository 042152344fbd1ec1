/** The switches of a connection, in one word: as fields they would be a tenth of what it weighs while idle. */
export class ConnectionFlags {
  #bits = 0;

  /** SACK was agreed to. */
  get sack(): boolean {
    return (this.#bits & Bit.sack) !== 0;
  }

  set sack(on: boolean) {
    this.#bits = on ? this.#bits | Bit.sack : this.#bits & ~Bit.sack;
  }

  /** So were timestamps. */
  get timestamps(): boolean {
    return (this.#bits & Bit.timestamps) !== 0;
  }

  set timestamps(on: boolean) {
    this.#bits = on ? this.#bits | Bit.timestamps : this.#bits & ~Bit.timestamps;
  }

  /** Made from a cookie: the owner is still to be told. */
  get announcePending(): boolean {
    return (this.#bits & Bit.announcePending) !== 0;
  }

  set announcePending(on: boolean) {
    this.#bits = on ? this.#bits | Bit.announcePending : this.#bits & ~Bit.announcePending;
  }

  /** The owner does not read. */
  get paused(): boolean {
    return (this.#bits & Bit.paused) !== 0;
  }

  set paused(on: boolean) {
    this.#bits = on ? this.#bits | Bit.paused : this.#bits & ~Bit.paused;
  }

  /** In a loop that hands over what was kept. */
  get draining(): boolean {
    return (this.#bits & Bit.draining) !== 0;
  }

  set draining(on: boolean) {
    this.#bits = on ? this.#bits | Bit.draining : this.#bits & ~Bit.draining;
  }

  /** `close` was called. */
  get orphaned(): boolean {
    return (this.#bits & Bit.orphaned) !== 0;
  }

  set orphaned(on: boolean) {
    this.#bits = on ? this.#bits | Bit.orphaned : this.#bits & ~Bit.orphaned;
  }

  /** The owner knows that it is over. */
  get closedTold(): boolean {
    return (this.#bits & Bit.closedTold) !== 0;
  }

  set closedTold(on: boolean) {
    this.#bits = on ? this.#bits | Bit.closedTold : this.#bits & ~Bit.closedTold;
  }

  get nagleOff(): boolean {
    return (this.#bits & Bit.nagleOff) !== 0;
  }

  set nagleOff(on: boolean) {
    this.#bits = on ? this.#bits | Bit.nagleOff : this.#bits & ~Bit.nagleOff;
  }

  get corked(): boolean {
    return (this.#bits & Bit.corked) !== 0;
  }

  set corked(on: boolean) {
    this.#bits = on ? this.#bits | Bit.corked : this.#bits & ~Bit.corked;
  }

  get corkExpired(): boolean {
    return (this.#bits & Bit.corkExpired) !== 0;
  }

  set corkExpired(on: boolean) {
    this.#bits = on ? this.#bits | Bit.corkExpired : this.#bits & ~Bit.corkExpired;
  }

  /** The persist timer lets a silly segment out. */
  get overridesSilly(): boolean {
    return (this.#bits & Bit.overridesSilly) !== 0;
  }

  set overridesSilly(on: boolean) {
    this.#bits = on ? this.#bits | Bit.overridesSilly : this.#bits & ~Bit.overridesSilly;
  }

  /** The user chose it: it is told, and the peer's does not change it (RFC 5482 §3). */
  get userTimeoutFixed(): boolean {
    return (this.#bits & Bit.userTimeoutFixed) !== 0;
  }

  set userTimeoutFixed(on: boolean) {
    this.#bits = on ? this.#bits | Bit.userTimeoutFixed : this.#bits & ~Bit.userTimeoutFixed;
  }

  get announceUserTimeout(): boolean {
    return (this.#bits & Bit.announceUserTimeout) !== 0;
  }

  set announceUserTimeout(on: boolean) {
    this.#bits = on ? this.#bits | Bit.announceUserTimeout : this.#bits & ~Bit.announceUserTimeout;
  }
}

const Bit = {
  sack: 0x1,
  timestamps: 0x2,
  announcePending: 0x4,
  paused: 0x8,
  draining: 0x10,
  orphaned: 0x20,
  closedTold: 0x40,
  nagleOff: 0x80,
  corked: 0x100,
  corkExpired: 0x200,
  overridesSilly: 0x400,
  userTimeoutFixed: 0x800,
  announceUserTimeout: 0x1000,
} as const;
