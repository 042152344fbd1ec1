import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SocketAddress } from "../../core/address.ts";
import type { Listener, ListenOptions } from "../../core/transport.ts";
import { nativeAvailable } from "../../native/libc.ts";
import { createEpollTransport, type EpollTransport } from "./transport.ts";

describe.runIf(nativeAvailable() === null)("binding a Unix socket", () => {
  let transport: EpollTransport;
  let folder: string;
  let path: string;

  beforeEach(() => {
    transport = createEpollTransport({ onFault: (error) => expect.fail(String(error)) });
    folder = mkdtempSync(join(tmpdir(), "millrace-"));
    path = join(folder, "a.sock");
  });
  afterEach(() => {
    transport.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const listen = (options: ListenOptions = {}): Promise<Listener> => {
    const address: SocketAddress = { kind: "unix", path };
    return transport.listen(address, options, () => null);
  };

  it("free: bound with the mode asked for, and the file goes with the listener", async () => {
    const listener = await listen({ mode: 0o600 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(listener.address).toEqual({ kind: "unix", path });
    listener.close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("left behind by a dead process: replaced", async () => {
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", script], { stdio: "ignore" })).toThrow();
    expect(statSync(path).isSocket()).toBe(true);
    await expect(listen()).resolves.toBeDefined();
  });

  it("listened on by another: EADDRINUSE, which harms nobody", async () => {
    await listen();
    await expect(listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(statSync(path).isSocket()).toBe(true);
  });

  it("an ordinary file: EADDRINUSE, and the file stays", async () => {
    writeFileSync(path, "precious");
    await expect(listen()).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(statSync(path).isFile()).toBe(true);
  });

  it("replaced by a successor's file: closing the first listener leaves it", async () => {
    const first = await listen();
    rmSync(path);
    writeFileSync(join(folder, "keeps the inode from being reused"), "");
    const second = await listen();
    first.close();
    expect(statSync(path).isSocket()).toBe(true);
    second.close();
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("a folder that does not exist: ENOENT", async () => {
    path = join(folder, "none", "a.sock");
    await expect(listen()).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("a path too long for a socket address: EINVAL", async () => {
    path = join(folder, "x".repeat(120));
    await expect(listen()).rejects.toMatchObject({ code: "EINVAL" });
  });
});
