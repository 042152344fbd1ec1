import type { LinkConditions } from "../../../src/drivers/simulation/public.ts";
import { type HostOptions, Network } from "../../../src/drivers/simulation/public.ts";
import { type NodeNetwork, nodeNet } from "../../../src/netstack/node/public.ts";

export const CLIENT = "10.0.0.1";
export const SERVER = "10.0.0.2";
/** On the link, and nobody's. */
export const NOBODY = "10.0.0.99";

/** Two hosts on a link, with Node's faces; faults of listeners are collected. */
export function world(conditions: Partial<LinkConditions> = {}, options: HostOptions = {}) {
  const network = new Network({ seed: 11 });
  const client = network.host("client", options);
  const server = network.host("server", options);
  const settings = { dadTransmits: 0 };
  const link = network.link(
    { host: client, addresses: [`${CLIENT}/24`, "2001:db8::1/64"], settings },
    { host: server, addresses: [`${SERVER}/24`, "2001:db8::2/64"], settings },
    conditions,
  );
  const faults: unknown[] = [];
  const faces = {
    hosts: { "server.test": ["2001:db8::2", SERVER], "four.test": [SERVER] },
    onFault: (error: unknown) => void faults.push(error),
  };
  return {
    network,
    link,
    faults,
    client: nodeNet(client.stack, faces),
    server: nodeNet(server.stack, faces),
    stacks: { client: client.stack, server: server.stack },
    /** Lets virtual time pass until the promise is settled. */
    async until<T>(promise: Promise<T>): Promise<T> {
      let settled = false;
      const done = () => {
        settled = true;
      };
      promise.then(done, done);
      const reached = await network.settle(() => settled);
      if (!reached) throw new Error("nothing is left to happen, and the promise is pending");
      return promise;
    },
  };
}

export type World = ReturnType<typeof world>;

/** The next event of that name, or the first error. */
export function once(emitter: NodeJS.EventEmitter, name: string): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    emitter.once(name, (...args: unknown[]) => resolve(args));
    if (name !== "error") emitter.once("error", reject);
  });
}

/** A server on the server's host that listens on a port; its sockets go to `onSocket`. */
export async function listen(
  face: NodeNetwork,
  port: number,
  onSocket: Parameters<NodeNetwork["createServer"]>[1],
) {
  const server = face.createServer({}, onSocket);
  server.listen(port);
  await once(server, "listening");
  return server;
}
