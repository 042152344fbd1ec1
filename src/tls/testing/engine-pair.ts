import type { NetError } from "../../core/errors.ts";
import type { TlsClient } from "../client.ts";
import type { TlsTarget } from "../client-config.ts";
import type { TlsEngine, TlsEngineOwner } from "../engine.ts";
import type { TlsServer } from "../server.ts";
import type { HelloHook } from "../server-config.ts";

/** One end of a pair: writes down what it is told, and keeps what has to go to the other. */
export class End implements TlsEngineOwner {
  engine!: TlsEngine;
  readonly events: string[] = [];
  readonly outbox: Buffer[] = [];
  readonly #pieces: Buffer[] = [];
  error: NetError | null = null;
  whenPlaintext: () => void = () => {};

  get received(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  send(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.engine.write(bytes, 0, bytes.length);
  }

  onCiphertext(buf: Uint8Array, start: number, end: number): void {
    this.outbox.push(Buffer.from(buf.subarray(start, end)));
  }

  onHandshake(): void {
    this.events.push("handshake");
  }

  onPlaintext(buf: Uint8Array, start: number, end: number): void {
    this.#pieces.push(Buffer.from(buf.subarray(start, end)));
    this.events.push("data");
    this.whenPlaintext();
  }

  onPeerEnd(): void {
    this.events.push("end");
  }

  onError(error: NetError): void {
    this.error = error;
    this.events.push("error");
  }
}

/** How ciphertext is cut on its way. */
export type Cut = (bytes: Buffer) => readonly Buffer[];

export const whole: Cut = (bytes) => [bytes];

/** Two engines with nothing but memory between them. */
export class EnginePair {
  readonly client = new End();
  readonly server = new End();
  readonly #cut: Cut;

  constructor(
    server: TlsServer,
    client: TlsClient,
    target: TlsTarget,
    { cut = whole, onHello }: { readonly cut?: Cut; readonly onHello?: HelloHook } = {},
  ) {
    this.#cut = cut;
    this.server.engine = server.engine(this.server, onHello);
    this.client.engine = client.engine(target, this.client);
  }

  /** Starts and lets both talk until nobody has anything to say. */
  run(): this {
    this.client.engine.start();
    this.server.engine.start();
    return this.settle();
  }

  settle(): this {
    while (this.client.outbox.length + this.server.outbox.length > 0) {
      this.#carry(this.client, this.server);
      this.#carry(this.server, this.client);
    }
    return this;
  }

  close(): void {
    this.client.engine.close();
    this.server.engine.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #carry(from: End, to: End): void {
    const bytes = Buffer.concat(from.outbox.splice(0));
    for (const piece of this.#cut(bytes)) to.engine.receive(piece, 0, piece.length);
  }
}
