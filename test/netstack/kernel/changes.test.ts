import { describe, type ExpectStatic, test } from "vitest";
import type { RunningProcess } from "../../support/processes.ts";
import { canTap, onWire } from "./kernel-host.ts";
import { Namespace, pause } from "./namespace.ts";

const able = await canTap("curl", "nc", "ss");
/** As fast as no test wants to wait for: a second of it has a middle. */
const RATE = "40M";
const LENGTH = 60_000_000;

const SERVICES = ["--http", "80", "--echo", "7", "--discard", "9", "--chargen", "19"];

/** At once, each with a wire and a host of its own: they mostly wait. */
describe.skipIf(!able).concurrent("a wire that changes while it is used", () => {
  test("the kernel's MTU falls to 1,280 and rises again in mid-flow: all arrives", async ({
    expect,
  }) => {
    await using wire = await Namespace.make();
    const host = await onWire(wire, ...SERVICES);
    await during(wire, expect, async () => {
      await wire.run("ip link set mr0 mtu 1280");
      await pause(400);
      await wire.run("ip link set mr0 mtu 1500");
    });
    await expect.poll(async () => mtuOf(await host.status())).toBe(1_500);
  });

  test("the MTU rises to 9,000: the stack follows", async ({ expect }) => {
    await using wire = await Namespace.make();
    const host = await onWire(wire, ...SERVICES);
    await wire.run("ip link set mr0 mtu 9000");
    await expect.poll(async () => mtuOf(await host.status()), { timeout: 3_000 }).toBe(9_000);
    await wire.run("ping -M do -c 1 -W 2 -s 8972 10.7.0.2");
    await wire.run("ip link set mr0 mtu 1500");
  });

  test("the link goes down for 300 ms in mid-flow: all arrives", async ({ expect }) => {
    await using wire = await Namespace.make();
    await onWire(wire, ...SERVICES);
    await during(wire, expect, async () => {
      await wire.run("ip link set mr0 down");
      await pause(300);
      // IPv6 addresses go with the link.
      await wire.run("ip link set mr0 up; ip addr replace fd07::1/64 dev mr0 nodad");
    });
    await wire.eventually("ping -c 1 -W 1 fd07::2");
  });

  test("the link is down and up while idle: a connection lives on", async ({ expect }) => {
    await using wire = await Namespace.make();
    await onWire(wire, ...SERVICES);
    const idle = await wire.start({
      command: "socat",
      args: ["-u", "TCP:10.7.0.2:19,readbytes=1000000,rcvbuf=4096", "SYSTEM:sleep 2; wc -c"],
    });
    await pause(300);
    await wire.run("ip link set mr0 down");
    await pause(1_200);
    await wire.run("ip link set mr0 up; ip addr replace fd07::1/64 dev mr0 nodad");
    await idle.exited;
    expect(idle.stdout.trim()).toBe("1000000");
  });

  test("the kernel's address goes while connected: both ends give up, others go on", async ({
    expect,
  }) => {
    await using wire = await Namespace.make();
    const host = await onWire(wire, ...SERVICES);
    await wire.run("ip addr add 10.7.0.9/24 dev mr0");
    const doomed = await connectedFrom(wire, "10.7.0.9");
    await wire.run("ip addr del 10.7.0.9/24 dev mr0");
    await wire.run("curl -sS --max-time 5 -o /dev/null http://10.7.0.2/bytes/1000");
    await wire.run("ip addr add 10.7.0.9/24 dev mr0");
    // Its process has gone meanwhile: with the address back, the stack's next segment meets a reset.
    await doomed.stop("SIGKILL");
    await expect.poll(async () => (await host.service("chargen")).open, { timeout: 8_000 }).toBe(0);
    await wire.run("ip addr del 10.7.0.9/24 dev mr0");
  });

  test("100 connections opened and closed: none is left at either end", async ({ expect }) => {
    await using wire = await Namespace.make();
    const host = await onWire(wire, ...SERVICES);
    await wire.run(
      "seq 100 | xargs -P 8 -I% curl -sS --max-time 5 -o /dev/null http://10.7.0.2/bytes/1000",
    );
    await expect.poll(async () => (await host.service("http")).open).toBe(1);
    expect(await wire.run("ss -Htn state close-wait state last-ack state fin-wait-1")).toBe("");
  });
});

/** A download and an upload at once, with a change in their middle; both must come whole. */
async function during(
  wire: Namespace,
  expect: ExpectStatic,
  change: () => Promise<void>,
): Promise<void> {
  const down = wire.run(
    `curl -sS --limit-rate ${RATE} --max-time 15 http://10.7.0.2/bytes/${LENGTH} | wc -c`,
  );
  const up = wire.run(
    `head -c ${LENGTH} /dev/zero | curl -gsS --limit-rate ${RATE} --max-time 15 -T - 'http://[fd07::2]/sum'`,
  );
  const both = Promise.all([down, up]);
  await pause(400);
  await change();
  const [length, sum] = await both;
  expect(Number(length)).toBe(LENGTH);
  expect(JSON.parse(sum)).toMatchObject({ length: LENGTH });
}

/** A client of chargen that reads nothing. */
async function connectedFrom(wire: Namespace, source: string): Promise<RunningProcess> {
  const client = await wire.start({
    command: "socat",
    args: ["-u", `TCP:10.7.0.2:19,bind=${source}`, "SYSTEM:sleep 60"],
  });
  await wire.eventually(`ss -Htn state established src ${source} | grep -q .`);
  return client;
}

const mtuOf = ({ interfaces }: { interfaces: readonly { name: string; mtu: number }[] }) =>
  interfaces.find(({ name }) => name === "mr0")?.mtu;
