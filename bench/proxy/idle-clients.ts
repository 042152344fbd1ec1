/**
 * Opens many connections to 127.0.0.1, makes one request on each and keeps them open: PORT COUNT.
 * Prints a JSON line `{ opened, failed }` when all have their answer, and holds the connections
 * until it is told to end (SIGTERM) or `holdSeconds` have passed.
 */
import { connect, type Socket } from "node:net";

const [port, count] = process.argv.slice(2).map(Number) as [number, number];

/** Connections of one source address: below what one address has of ephemeral ports. */
const perSource = 1_000;
/** Connections in the act of opening at once. */
const concurrency = 100;
const holdSeconds = 120;

const request = "GET /small HTTP/1.1\r\nHost: idle.test\r\n\r\n";
const sockets: Socket[] = [];
let started = 0;
let opened = 0;
let failed = 0;

for (let i = 0; i < Math.min(concurrency, count); i++) openNext();
setTimeout(() => process.exit(0), holdSeconds * 1_000);

function openNext(): void {
  if (started === count) return;
  const source = `127.0.0.${2 + Math.floor(started / perSource)}`;
  started++;
  const socket = connect({ host: "127.0.0.1", port, localAddress: source });
  let settled = false;
  const settle = (ok: boolean) => {
    if (settled) return;
    settled = true;
    socket.setTimeout(0);
    if (ok) opened++;
    else failed++;
    if (opened + failed === count) console.log(JSON.stringify({ opened, failed, lost: 0 }));
    openNext();
  };
  socket.setTimeout(20_000, () => {
    if (!settled) socket.destroy();
  });
  socket.once("connect", () => socket.write(request));
  // The answer fits one segment: its first bytes mean that it is here.
  socket.once("data", () => settle(true));
  socket.once("error", () => settle(false));
  socket.once("close", () => settle(false));
  sockets.push(socket);
}

process.on("SIGTERM", () => {
  const lost = sockets.filter((socket) => socket.destroyed).length - failed;
  console.log(JSON.stringify({ opened, failed, lost }));
  process.exit(0);
});
