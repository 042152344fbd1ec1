import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { parseIp, type SocketAddress } from "../../core/address.ts";

/** An address at which connecting neither succeeds nor fails. */
export interface Unanswered {
  readonly address: SocketAddress;
  release(): Promise<void>;
}

const LISTENER = `
  const { createServer } = require("node:net");
  const { parentPort } = require("node:worker_threads");
  const server = createServer();
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

/**
 * A listener that accepts nothing and whose accept queue is full, so that the kernel drops every SYN:
 * its thread sleeps. Linux queues one connection more than the backlog says.
 */
export async function stalledListener(): Promise<Unanswered> {
  const worker = new Worker(LISTENER, { eval: true });
  const [port] = (await once(worker, "message")) as [number];
  const queued: Socket[] = [];
  for (let i = 0; i < 2; i++) {
    const socket = connect(port, "127.0.0.1");
    queued.push(socket);
    await once(socket, "connect");
    socket.on("error", () => {});
  }
  return {
    address: { kind: "ip", ip: parseIp("127.0.0.1")!, port },
    async release() {
      for (const socket of queued) socket.destroy();
      await worker.terminate();
    },
  };
}
