/**
 * One bulk flow of the kernel's, at either end, by blocking calls of 1 MiB.
 *
 *     traffic.ts sink|source PORT                           a server on 127.0.0.1 or 0.0.0.0
 *     traffic.ts send|receive|blast ADDRESS PORT MS PID     a client; `blast` sends UDP of 65,000 bytes
 *
 * A client prints as JSON what went in MS milliseconds, after a warm-up of a quarter of that, and what
 * CPU time the process PID took meanwhile.
 */

import { parseIp } from "../../../src/core/address.ts";
import { NetError } from "../../../src/core/errors.ts";
import * as K from "../../../src/native/constants.ts";
import { errno, libc } from "../../../src/native/libc.ts";
import { PinnedMemory } from "../../../src/native/memory.ts";
import { SockaddrBox } from "../../../src/native/sockaddr.ts";
import { SOCK_DGRAM } from "../../../src/native/tun-constants.ts";
import { cpuMicros } from "../../harness/cpu-time.ts";

const BLOCK = 1 << 20;
const DATAGRAM = 65_000;
const WARM_UP = 0.25;
/** Root's way past the limit on a socket's buffer: else three datagrams fill it. */
const SO_SNDBUFFORCE = 32;
const ENOBUFS = 105;

const c = libc();
const memory = new PinnedMemory(BLOCK);

const [mode = "", ...rest] = process.argv.slice(2);
if (mode === "sink" || mode === "source") serve(mode, Number(rest[0]));
else run(mode, rest);

function serve(mode: "sink" | "source", port: number): never {
  const box = new SockaddrBox();
  const listener = must(c.socket(K.AF_INET, K.SOCK_STREAM | K.SOCK_CLOEXEC, 0), "socket");
  setOption(listener, K.SO_REUSEADDR, 1);
  box.encode({ kind: "ip", ip: parseIp("0.0.0.0")!, port });
  must(c.bind(listener, box.address, box.length), "bind");
  must(c.listen(listener, 8), "listen");
  process.stdout.write("ready\n");
  for (;;) {
    const fd = must(c.accept4(listener, 0, 0, 0), "accept");
    while (step(fd, mode === "source") > 0);
    c.close(fd);
  }
}

function run(mode: string, [address = "", port = "", ms = "", pid = ""]: readonly string[]): void {
  const box = new SockaddrBox();
  const type = mode === "blast" ? SOCK_DGRAM : K.SOCK_STREAM;
  const fd = must(c.socket(K.AF_INET, type | K.SOCK_CLOEXEC, 0), "socket");
  if (mode === "blast") setOption(fd, SO_SNDBUFFORCE, 4 << 20);
  box.encode({ kind: "ip", ip: parseIp(address)!, port: Number(port) });
  must(c.connect(fd, box.address, box.length), "connect");
  const sending = mode !== "receive";
  const length = mode === "blast" ? DATAGRAM : BLOCK;
  move(fd, sending, length, Number(ms) * WARM_UP);
  const cpu = cpuMicros(Number(pid));
  const begin = performance.now();
  const bytes = move(fd, sending, length, Number(ms));
  const millis = performance.now() - begin;
  const result = { bytes, millis, cpuMicros: cpuMicros(Number(pid)) - cpu };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

/** Bytes that went within the time. */
function move(fd: number, sending: boolean, length: number, ms: number): number {
  const end = performance.now() + ms;
  let bytes = 0;
  while (performance.now() < end) {
    const n = step(fd, sending, length);
    if (n < 0 && errno() === ENOBUFS) continue;
    if (n <= 0) throw new Error(`the flow ended after ${bytes} bytes`);
    bytes += n;
  }
  return bytes;
}

function step(fd: number, sending: boolean, length: number = BLOCK): number {
  return sending
    ? c.send(fd, memory.address, length, K.MSG_NOSIGNAL)
    : c.recv(fd, memory.address, length, 0);
}

function setOption(fd: number, name: number, value: number): void {
  const option = new PinnedMemory(8);
  option.words[0] = value;
  c.setsockopt(fd, K.SOL_SOCKET, name, option.address, 4);
}

function must(result: number, what: string): number {
  if (result >= 0) return result;
  throw new NetError("EINVAL", `${what}: errno ${errno()}`, { source: "internal" });
}
