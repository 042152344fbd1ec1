import { connect, createServer } from "node:http2";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import { SERVER, world } from "./world.ts";

test("node:http2, three megabytes up and down as two streams, come whole", async () => {
  const w = world({ latency: millis(5), bandwidth: 25_000_000 });
  const server = createServer((req, res) => void req.pipe(res.stream));
  const face = w.server.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit("connection", socket);
  });
  face.listen(80);
  // The types want a net.Socket where any Duplex does.
  const createConnection = () => w.client.connect(80, SERVER) as unknown as Socket;
  const session = connect(`http://${SERVER}`, { createConnection });
  const sent = Buffer.alloc(3 << 20, "three megabytes");
  const echo = () =>
    new Promise<Buffer>((resolve, reject) => {
      const stream = session.request({ ":path": "/", ":method": "POST" });
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => void chunks.push(chunk));
      stream.on("end", () => resolve(Buffer.concat(chunks)));
      stream.on("error", reject);
      stream.end(sent);
    });
  const echoes = await w.until(Promise.all([echo(), echo()]));
  expect(echoes.map((body) => body.equals(sent))).toEqual([true, true]);
  session.destroy();
});
