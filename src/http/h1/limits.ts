/** What a receiver bounds. All count octets but `fields`; `Infinity` is allowed for `body` alone. */
export interface H1Limits {
  /** The start line without its line end; past it 414. */
  readonly requestLine: number;
  /** The whole head, start line and empty line included, and likewise a trailer section; past it 431. */
  readonly head: number;
  /** Fields of a head, and of a trailer section; past it 431. */
  readonly fields: number;
  /** A body's content; past it 413. */
  readonly body: number;
}
