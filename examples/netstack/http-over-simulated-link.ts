/**
 * Two hosts, each with a TCP/IP stack of its own, on a link of 20 ms that loses one frame in a hundred.
 * Node's own HTTP server runs on one, Node's own HTTP client on the other, and no packet leaves the
 * process. Time is virtual: the run takes milliseconds, and the same seed gives the same run.
 *
 *     node -C millrace-source examples/netstack/http-over-simulated-link.ts
 */
import { createServer, type IncomingMessage, request } from "node:http";
import { millis } from "millrace/core";
import { Network } from "millrace/drivers/simulation";
import { nodeNet } from "millrace/netstack/node";

const network = new Network({ seed: 7 });
const alice = network.host("alice");
const bob = network.host("bob");
const link = network.link(
  { host: alice, addresses: ["10.0.0.1/24"] },
  { host: bob, addresses: ["10.0.0.2/24"] },
  { latency: millis(20), bandwidth: 1_250_000, queueBytes: 60_000, loss: 0.01 },
);

const print = (text: string) =>
  console.log(`${(network.now / 1e6).toFixed(3).padStart(7)} s  ${text}`);

// Bob serves: our server accepts connections, and node:http speaks HTTP on them.
const http = createServer((req, res) => {
  print(`bob    ${req.method} ${req.url} from ${req.socket.remoteAddress}`);
  res.end(Buffer.alloc(1_000_000, "All work and no play makes Jack a dull boy.\n"));
});
nodeNet(bob.stack)
  .createServer({ allowHalfOpen: true, noDelay: true }, (socket) => http.emit("connection", socket))
  .listen(80);

// Alice asks, by a name that her hosts table has.
const net = nodeNet(alice.stack, { hosts: { "bob.example": ["10.0.0.2"] } });
let done = false;
request("http://bob.example/story", {
  createConnection: () => {
    const socket = net.connect(80, "bob.example");
    socket.on("connect", () => print(`alice  connected to ${socket.remoteAddress}`));
    socket.on("close", () => print(`alice  closed after ${socket.bytesRead} bytes`));
    return socket;
  },
})
  .on("response", async (response: IncomingMessage) => {
    print(`alice  status ${response.statusCode}`);
    let length = 0;
    for await (const chunk of response) length += chunk.length;
    print(`alice  a story of ${length} bytes`);
    done = true;
  })
  .end();

// Nothing happens by itself: let time pass until the story is there.
await network.settle(() => done);
const { sent, lost } = link.backward.counters;
print(`link   ${sent} frames from bob, ${lost} of them lost on the way`);
