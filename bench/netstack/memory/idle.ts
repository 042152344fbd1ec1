import type { ConnectHandler, Stream } from "../../../src/core/transport.ts";
import { IPV6_ANY, Ip } from "../../../src/netstack/ip-address.ts";
import type { IdleMemory } from "../results.ts";
import { Pair, SERVER } from "./pair.ts";

const CONNECTIONS = 10_000;
const AT_ONCE = 250;
const WARM_UP = 4 * AT_ONCE;
const PORT = 80;
const TARGET = 2_048;
const MESSAGE = new Uint8Array(100);

/** An owner that costs next to nothing: one for all connections of an end. */
class Owner implements ConnectHandler {
  received = 0;
  onConnect(): void {}
  onData(_buf: Uint8Array, start: number, end: number): void {
    this.received += end - start;
  }
  onWritable(): void {}
  onEnd(): void {}
  onClose(error: Error | null): void {
    throw error ?? new Error("a connection has ended");
  }
}

/**
 * What 10,000 connections hold after 100 bytes each way: both ends together, then the client's stack
 * is dropped, which leaves the server's. Needs --expose-gc.
 */
export function idleMemory(): IdleMemory {
  const owner = new Owner();
  const [pair, streams] = emptyPair(owner);
  // Pools fill, code is compiled; then only connections are added.
  open(pair, streams, owner, WARM_UP);
  const few = heapBytes();
  open(pair, streams, owner, CONNECTIONS);
  const many = heapBytes();
  const { server } = pair;
  pair.dropClient();
  streams.length = 0;
  const without = heapBytes();
  if (server.tcp.connections < CONNECTIONS) throw new Error("connections of the server are gone");
  const client = (many - without - stackBytes(owner)) / (CONNECTIONS + WARM_UP);
  const both = (many - few) / CONNECTIONS;
  return {
    connections: CONNECTIONS,
    client: Math.round(client),
    server: Math.round(both - client),
    target: TARGET,
  };
}

/** What a client's stack and device hold without connections. */
function stackBytes(owner: Owner): number {
  const [pair] = emptyPair(owner);
  const before = heapBytes();
  pair.dropClient();
  return before - heapBytes();
}

function emptyPair(owner: Owner): [Pair, Stream[]] {
  const pair = new Pair({ mtu: 1_500, offload: false });
  pair.server.tcp.listen({ ip: IPV6_ANY, port: PORT }, (stream) => {
    stream.write(MESSAGE, 0, MESSAGE.length);
    return owner;
  });
  return [pair, []];
}

function open(pair: Pair, streams: Stream[], owner: Owner, count: number): void {
  const target = { ip: Ip.parse(SERVER)!, port: PORT };
  const expected = owner.received + 2 * MESSAGE.length * count;
  for (let done = 0; done < count; done += AT_ONCE) {
    const batch = streams.length;
    for (let i = 0; i < AT_ONCE; i++) streams.push(pair.client.tcp.connect(target, owner));
    pair.settle(1);
    for (const stream of streams.slice(batch)) stream.write(MESSAGE, 0, MESSAGE.length);
    pair.settle(1);
  }
  if (owner.received !== expected) throw new Error(`${owner.received} of ${expected} bytes came`);
}

function heapBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
