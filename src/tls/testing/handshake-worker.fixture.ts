import { parentPort, workerData } from "node:worker_threads";
import { createTlsClient } from "../client.ts";
import { createTlsServer } from "../server.ts";
import type { IssuedPair } from "./authority.ts";
import { EnginePair } from "./engine-pair.ts";

/** A thread that shakes hands with itself until it is ended: says after each round how many succeeded. */
const { ca, pair } = workerData as { readonly ca: string; readonly pair: IssuedPair };
const server = createTlsServer({ certificates: [pair], alpn: ["h2", "x"] });
const client = createTlsClient({ ca: [ca], alpn: ["x"] });

function round(): void {
  let agreed = 0;
  for (let i = 0; i < 20; i++) {
    using met = new EnginePair(server, client, { serverName: "one.test" }).run();
    met.client.send("hello");
    met.settle();
    if (met.client.engine.connection?.alpn === "x" && met.server.text === "hello") agreed++;
  }
  parentPort?.postMessage(agreed);
  setImmediate(round);
}
round();
