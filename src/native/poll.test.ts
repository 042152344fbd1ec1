import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { EpollSet } from "./epoll.ts";
import { nativeAvailable } from "./libc.ts";
import { LoopPoll } from "./poll.ts";

/** In a process of its own, for other work of the loop would drain the queues as well. */
const DRAIN = `
  const { LoopPoll } = await import(process.argv[1] + "/poll.ts");
  const { Sockets } = await import(process.argv[1] + "/socket.ts");
  const { EpollSet } = await import(process.argv[1] + "/epoll.ts");
  const sockets = new Sockets();
  const fd = sockets.open(2);
  const set = new EpollSet(4);
  set.add(fd, 4, 1); // EPOLLOUT|EPOLLHUP of an unconnected socket: there at once
  setTimeout(() => { console.log("timer"); process.exit(0); }, 700);
  const poll = new LoopPoll(set.fd, () => {
    process.nextTick(() => console.log("tick"));
    Promise.resolve().then(() => { console.log("microtask"); });
    poll.close();
  });
`;

const THROW = `
  const { LoopPoll } = await import(process.argv[1] + "/poll.ts");
  const { Sockets } = await import(process.argv[1] + "/socket.ts");
  const { EpollSet } = await import(process.argv[1] + "/epoll.ts");
  process.on("uncaughtException", (error) => { console.log(error.message); process.exit(0); });
  const set = new EpollSet(4);
  set.add(new Sockets().open(2), 4, 1);
  new LoopPoll(set.fd, () => { throw new Error("seen"); });
`;

async function run(script: string): Promise<string> {
  const folder = fileURLToPath(new URL(".", import.meta.url)).slice(0, -1);
  const args = ["--input-type=module", "-e", script, folder];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
  return stdout;
}

describe.runIf(nativeAvailable() === null)("loop poll", () => {
  it("a wake-up that queues a tick and a microtask: both run before the next timer", async () => {
    expect(await run(DRAIN)).toBe("tick\nmicrotask\ntimer\n");
  });

  it("a wake-up that throws: is an uncaught exception", async () => {
    expect(await run(THROW)).toBe("seen\n");
  });

  it("a descriptor polled twice: throws, and may be polled again after close", () => {
    const set = new EpollSet(1);
    const poll = new LoopPoll(set.fd, () => {});
    expect(() => new LoopPoll(set.fd, () => {})).toThrow("is polled already");
    poll.close();
    new LoopPoll(set.fd, () => {}).close();
    set.close();
  });

  it("closed: start, stop and setRef do nothing", () => {
    const set = new EpollSet(1);
    const poll = new LoopPoll(set.fd, () => {});
    poll.close();
    poll.start();
    poll.stop();
    poll.setRef(true);
    poll.close();
    set.close();
  });

  it.each([-1, 1.5, Number.NaN])("descriptor %s: throws", (fd) => {
    expect(() => new LoopPoll(fd, () => {})).toThrow("not a descriptor");
  });
});
