import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import type { Acceptor, Listener } from "../../core/transport.ts";
import type { Simulation } from "./connection.ts";
import { MemoryStream, type StreamOwner } from "./stream.ts";

/** Whose streams a listener accepts. */
export interface ListenerOwner extends StreamOwner {
  readonly simulation: Simulation;
  adopt(stream: MemoryStream): void;
  released(listener: MemoryListener): void;
}

/** A listener, with those that are connected to it and not yet accepted. */
export class MemoryListener implements Listener {
  readonly address: SocketAddress;
  readonly reusePort: boolean;
  readonly ipv6Only: boolean;
  readonly #owner: ListenerOwner;
  readonly #acceptor: Acceptor;
  readonly #backlog: number;
  readonly #waiting: MemoryStream[] = [];
  #paused = false;
  #closed = false;

  constructor(
    owner: ListenerOwner,
    address: SocketAddress,
    options: { reusePort: boolean; ipv6Only: boolean; backlog: number },
    acceptor: Acceptor,
  ) {
    this.#owner = owner;
    this.address = address;
    this.reusePort = options.reusePort;
    this.ipv6Only = options.ipv6Only;
    this.#backlog = options.backlog;
    this.#acceptor = acceptor;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (let i = 0; i < this.#waiting.length; i++) this.#planAccept();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.released(this);
    for (const stream of this.#waiting.splice(0)) stream.abort();
  }

  /** Takes a client's connection up; false when the backlog is full: it is not answered then. */
  admit(client: MemoryStream): boolean {
    if (this.#waiting.length > this.#backlog) {
      this.#owner.simulation.note(`${formatSocketAddress(this.address)}: backlog full`);
      return false;
    }
    const stream = new MemoryStream(
      this.#owner,
      client.connection,
      client.remote,
      client.local,
      null,
    );
    this.#owner.adopt(stream);
    stream.answer(client);
    this.#waiting.push(stream);
    this.#planAccept();
    return true;
  }

  #planAccept(): void {
    const { simulation } = this.#owner;
    simulation.at(simulation.now, () => this.#accept());
  }

  #accept(): void {
    if (this.#paused || this.#closed) return;
    const stream = this.#waiting.shift();
    if (stream === undefined || stream.closed) return;
    try {
      const handler = this.#acceptor(stream);
      if (handler === null) stream.abort();
      else stream.adopt(handler);
    } catch (error) {
      stream.abort();
      this.#owner.simulation.fault(error);
    }
  }
}
