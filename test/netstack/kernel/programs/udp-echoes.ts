/**
 * Sends datagrams of the given sizes, one after the other, and compares what comes back:
 * `udp-echoes.ts ADDRESS PORT SIZE…`; writes how many were equal.
 */
import { createSocket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";

const [address = "", port = "", ...sizes] = process.argv.slice(2);
const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
let heard: ((message: Buffer) => void) | null = null;
socket.on("message", (message) => heard?.(message));
let equal = 0;
for (const [i, text] of sizes.entries()) {
  const sent = Buffer.alloc(Number(text), `${i} ${text} `);
  const back = new Promise<Buffer>((resolve) => {
    heard = resolve;
  });
  socket.send(sent, Number(port), address);
  const answer = await Promise.race([back, pause(1_000, undefined, { ref: false })]);
  if (answer !== undefined && sent.equals(answer)) equal++;
  else process.stderr.write(`${text} bytes: ${answer === undefined ? "no answer" : "another"}\n`);
}
socket.close();
process.stdout.write(JSON.stringify({ sent: sizes.length, equal }));
