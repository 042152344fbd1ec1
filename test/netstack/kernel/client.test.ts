import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DrivenStack } from "./driven-stack.ts";
import { addressKernel, canTap } from "./kernel-host.ts";
import { Namespace, pause } from "./namespace.ts";

const able = await canTap("socat", "ss");
const LENGTH = 50_000_000;

describe.skipIf(!able)("the stack as the client of the kernel", () => {
  let wire: Namespace;
  let stack: DrivenStack;

  beforeAll(async () => {
    wire = await Namespace.make();
    const addresses = ["10.7.0.2/24", "10.7.0.3/24", "fd07::2/64"];
    stack = await DrivenStack.start(wire, { name: "mr0", addresses });
    await addressKernel(wire);
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await wire?.[Symbol.asyncDispose]();
  });

  test("echo requests of all sizes, in fragments both ways: the kernel's replies are equal", async () => {
    for (const size of [0, 1, 56, 1_472, 1_473, 2_953, 9_000, 65_507]) {
      expect([size, await stack.ask({ op: "ping", to: "10.7.0.1", size })]).toEqual([
        size,
        "equal",
      ]);
    }
    for (const size of [0, 1, 56, 1_452, 1_453, 2_901, 9_000, 65_527]) {
      expect([size, await stack.ask({ op: "ping", to: "fd07::1", size })]).toEqual([size, "equal"]);
    }
  });

  test("echo request, nobody has the address: the host is unreachable", async () => {
    expect(await stack.ask({ op: "ping", to: "10.7.0.99", size: 56 })).toMatch(/unreachable/);
  });

  test("it sends 50 MB to a listener of the kernel and ends: all of it is there", async () => {
    const sink = await wire.start({
      command: "socat",
      args: ["-u", "TCP6-LISTEN:900,ipv6only=0,fork", "SYSTEM:wc -c >&2"],
    });
    await wire.eventually("ss -Htln sport = 900 | grep -q .");
    const send = { op: "send", port: 900, length: LENGTH } as const;
    expect(await stack.ask({ ...send, to: "10.7.0.1" })).toBe("closed");
    expect(await stack.ask({ ...send, to: "fd07::1" })).toBe("closed");
    await expect.poll(() => sink.stderr.trim().split("\n")).toEqual([`${LENGTH}`, `${LENGTH}`]);
    await sink.stop();
  });

  test("it reads what a server of the kernel sends until its end", async () => {
    await wire.start({
      command: "socat",
      args: ["-U", "TCP-LISTEN:901,fork", `SYSTEM:head -c ${LENGTH} /dev/zero`],
    });
    await wire.eventually("ss -Htln sport = 901 | grep -q .");
    const read = stack.ask({ op: "receive", to: "10.7.0.1", port: 901 });
    expect(await read).toEqual(["closed", LENGTH]);
  });

  test("nobody listens: the connection is refused", async () => {
    const send = { op: "send", port: 903, length: 1 } as const;
    expect(await stack.ask({ ...send, to: "10.7.0.1" })).toBe("ECONNREFUSED");
    expect(await stack.ask({ ...send, to: "fd07::1" })).toBe("ECONNREFUSED");
  });

  test("nobody has the address: the host is unreachable, long before the connection's timeout", async () => {
    const send = { op: "send", port: 903, length: 1 } as const;
    expect(await stack.ask({ ...send, to: "10.7.0.99" })).toBe("EHOSTUNREACH");
  });

  test("its address goes for a while in mid-flow: others go on, and with it back all arrives", async () => {
    const sink = await wire.start({
      command: "socat",
      args: ["-u", "TCP6-LISTEN:904,ipv6only=0,fork", "SYSTEM:wc -c >&2"],
    });
    await wire.eventually("ss -Htln sport = 904 | grep -q .");
    const length = 20 * LENGTH;
    const flow = stack.ask({ op: "send", to: "10.7.0.1", port: 904, length });
    await wire.eventually("ss -Htn state established sport = 904 | grep -q .");
    await stack.ask({ op: "remove", address: "10.7.0.2/24" });
    await pause(300);
    expect(await stack.ask({ op: "ping", to: "10.7.0.1", size: 8 })).toBe("equal");
    expect((await wire.try("ping -c 1 -W 0.3 10.7.0.2")).code).not.toBe(0);
    expect(sink.stderr).toBe("");
    await stack.ask({ op: "add", address: "10.7.0.2/24" });
    expect(await flow).toBe("closed");
    await expect.poll(() => sink.stderr.trim()).toBe(`${length}`);
  });
});
