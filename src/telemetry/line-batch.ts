/**
 * Gathers log lines into pieces for a slow sink elsewhere (another thread, a file), in bounded memory:
 * what was sent and not yet acknowledged, plus what is gathered, never exceeds `limit` characters. Past
 * it lines are dropped and counted, so a sink that hangs costs lines, not memory or requests.
 */
export class LineBatch {
  readonly #send: (text: string) => void;
  readonly #piece: number;
  readonly #limit: number;
  #gathered = "";
  #unacknowledged = 0;

  /** `send` takes a piece of whole lines; each is sent when it reaches `piece` characters, or by `flush`. */
  constructor(send: (text: string) => void, piece = 32_768, limit = 4 * 1_048_576) {
    this.#send = send;
    this.#piece = piece;
    this.#limit = limit;
  }

  /** Takes a line that ends in a newline. False: it was dropped. */
  add(line: string): boolean {
    if (this.#unacknowledged + this.#gathered.length + line.length > this.#limit) return false;
    this.#gathered += line;
    if (this.#gathered.length >= this.#piece) this.flush();
    return true;
  }

  /** Sends what is gathered; its owner calls this at intervals and at the end. */
  flush(): void {
    const text = this.#gathered;
    if (text === "") return;
    this.#gathered = "";
    this.#unacknowledged += text.length;
    this.#send(text);
  }

  /** The sink took a piece of that many characters. */
  acknowledge(characters: number): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - characters);
  }
}
