/** A connection, standing or being made, that takes several requests at a time. */
export interface SharedConnection {
  /** How many more requests it would take now. */
  readonly room: number;
  /** Nothing is on it. */
  readonly idle: boolean;
  /** Kept by the list that it is in. */
  listed: boolean;
  /** Takes no more requests, and closes when those that it has are over. */
  retire(): void;
}

/**
 * Connections of one endpoint that share themselves among requests. Those with room are a stack: the
 * same one is filled first, so that what a burst left behind can become idle and go. Looking costs
 * constant time on average, and allocates nothing.
 */
export class SharedConnections {
  readonly #all = new Set<SharedConnection>();
  readonly #roomy: SharedConnection[] = [];

  get size(): number {
    return this.#all.size;
  }

  /** How many have nothing to do, for who looks from outside. */
  get idle(): number {
    let count = 0;
    for (const connection of this.#all) if (connection.idle) count++;
    return count;
  }

  add(connection: SharedConnection): void {
    this.#all.add(connection);
    this.offer(connection);
  }

  remove(connection: SharedConnection): void {
    this.#all.delete(connection);
    if (!connection.listed) return;
    connection.listed = false;
    this.#roomy.splice(this.#roomy.indexOf(connection), 1);
  }

  /** The connection may have room again. */
  offer(connection: SharedConnection): void {
    if (connection.listed || !this.#all.has(connection) || connection.room <= 0) return;
    connection.listed = true;
    this.#roomy.push(connection);
  }

  /** One with room, or null. */
  find(): SharedConnection | null {
    const roomy = this.#roomy;
    for (;;) {
      const last = roomy.at(-1);
      if (last === undefined) return null;
      if (last.room > 0) return last;
      last.listed = false;
      roomy.pop();
    }
  }

  retire(): void {
    for (const connection of [...this.#all]) connection.retire();
  }
}
