import type { ConnectHandler, Stream } from "../../../src/core/transport.ts";
import { IPV6_ANY, Ip } from "../../../src/netstack/ip-address.ts";
import type { IdleMemory } from "../results.ts";
import { Pair, SERVER } from "./pair.ts";

const CONNECTIONS = 10_000;
const AT_ONCE = 250;
const PORT = 80;
const TARGET = 2_048;
const REQUEST = new Uint8Array(100);

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
  let pair: Pair | null = new Pair({ mtu: 1_500, offload: false });
  const owner = new Owner();
  const served: Stream[] = [];
  pair.server.tcp.listen({ ip: IPV6_ANY, port: PORT }, (stream) => {
    served.push(stream);
    return owner;
  });
  let streams: Stream[] = [];
  open(pair, streams, owner, AT_ONCE);
  const empty = heapBytes();
  open(pair, streams, owner, CONNECTIONS);
  const expected = 2 * REQUEST.length * streams.length;
  for (const stream of [...streams, ...served]) stream.write(REQUEST, 0, REQUEST.length);
  pair.settle(10);
  if (owner.received !== expected) throw new Error(`${owner.received} of ${expected} bytes came`);
  const both = heapBytes();
  const { server } = pair;
  pair.dropClient();
  pair = null;
  streams = [];
  const one = heapBytes();
  if (server.tcp.connections < CONNECTIONS) throw new Error("connections of the server are gone");
  const count = CONNECTIONS;
  const clientShare = (both - one) / (count + AT_ONCE);
  return {
    connections: count,
    client: Math.round(clientShare),
    server: Math.round((both - empty - clientShare * count) / count),
    target: TARGET,
  };
}

function open(pair: Pair, streams: Stream[], owner: Owner, count: number): void {
  const target = { ip: Ip.parse(SERVER)!, port: PORT };
  for (let done = 0; done < count; done += AT_ONCE) {
    for (let i = 0; i < AT_ONCE; i++) streams.push(pair.client.tcp.connect(target, owner));
    pair.settle(1);
  }
}

function heapBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
