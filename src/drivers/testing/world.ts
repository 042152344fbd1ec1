import { expect } from "vitest";
import { parseSocketAddress, type SocketAddress } from "../../core/address.ts";
import type {
  ConnectOptions,
  Listener,
  ListenOptions,
  StreamHandler,
  Transport,
} from "../../core/transport.ts";
import { Recorder } from "./recorder.ts";
import { stalledListener, type Unanswered } from "./stalled-listener.ts";

/** What is particular to a transport under test. */
export interface SuiteOptions {
  /** Lets the transport's world go on for a moment. Default: a millisecond of real time. */
  readonly turn?: () => Promise<void>;
  readonly unix?: boolean;
  /** A client may be connected, and gone, before the server hears of it: the end of a handshake. */
  readonly clientFirst?: boolean;
  /** An address that never answers. Default: a listener on 127.0.0.1 whose backlog is full. */
  readonly unanswered?: () => Promise<Unanswered>;
}

/** Both ends of a connection, and the listener between them. */
export interface Pair {
  readonly client: Recorder;
  readonly server: Recorder;
  readonly listener: Listener;
}

/** Turns to wait in order to see that something does not happen: too few can only hide a failure. */
const QUIET_TURNS = 20;
const PATIENCE = 20_000; // milliseconds

/** A transport under test, with the recorders that hang on it. */
export class World {
  readonly transport: Transport;
  readonly #options: SuiteOptions;
  readonly #recorders: Recorder[] = [];

  constructor(transport: Transport, options: SuiteOptions) {
    this.transport = transport;
    this.#options = options;
  }

  recorder(name: string): Recorder {
    const recorder = new Recorder(name);
    this.#recorders.push(recorder);
    return recorder;
  }

  turn(): Promise<void> {
    return this.#options.turn?.() ?? new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Waits for a condition, without end as far as the verdict is concerned. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const giveUp = Date.now() + PATIENCE;
    while (!condition()) {
      if (Date.now() > giveUp) throw new Error(`never came: ${what}`);
      await this.turn();
    }
  }

  /** Time for what should not happen. */
  async quiet(): Promise<void> {
    for (let i = 0; i < QUIET_TURNS; i++) await this.turn();
  }

  /** Listens and takes each stream with the next handler; later ones are refused. */
  listen(
    address: string,
    handlers: readonly StreamHandler[],
    options: ListenOptions = {},
  ): Promise<Listener> {
    let accepted = 0;
    return this.transport.listen(at(address), options, (stream) => {
      const handler = handlers[accepted++] ?? null;
      if (handler instanceof Recorder) handler.stream = stream;
      return handler;
    });
  }

  connect(address: SocketAddress, recorder: Recorder, options: ConnectOptions = {}): void {
    recorder.stream = this.transport.connect(address, options, recorder);
    expect(recorder.events, "nothing is told before connect returns").toEqual([]);
  }

  /** A connection of which both ends are up. */
  async pair(address = "127.0.0.1:0"): Promise<Pair> {
    const server = this.recorder("server");
    const client = this.recorder("client");
    const listener = await this.listen(address, [server]);
    this.connect(listener.address, client);
    await this.until("connection", () => server.accepted && client.connected);
    return { client, server, listener };
  }

  unanswered(): Promise<Unanswered> {
    return (this.#options.unanswered ?? stalledListener)();
  }

  /** Closes all, and fails when a recorder saw the contract broken. */
  async finish(): Promise<void> {
    this.transport.close();
    await this.turn();
    for (const recorder of this.#recorders) expect(recorder.violations).toEqual([]);
  }
}

export function at(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address === null) throw new Error(`not an address: ${text}`);
  return address;
}
