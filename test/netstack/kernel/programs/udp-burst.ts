/** Sends datagrams as fast as the kernel takes them: `udp-burst.ts ADDRESS PORT COUNT SIZE`. */
import { createSocket } from "node:dgram";

const [address = "", port = "", count = "", size = ""] = process.argv.slice(2);
const socket = createSocket("udp4");
const bytes = Buffer.alloc(Number(size), "burst");
for (let i = 0; i < Number(count); i++) {
  await new Promise((resolve) => socket.send(bytes, Number(port), address, resolve));
}
socket.close();
