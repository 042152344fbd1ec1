import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canTap, type MillraceHost, onWire } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";

const able = await canTap("traceroute");

/** Around the edges of fragments (1,480 and 1,448 bytes), of 8 and of 16 bits. */
const SIZES = [
  0, 1, 7, 8, 56, 1_400, 1_471, 1_472, 1_473, 1_480, 2_951, 2_952, 2_953, 9_000, 32_768, 65_506,
  65_507,
];
const SIZES6 = [0, 1, 7, 8, 56, 1_400, 1_451, 1_452, 1_453, 2_899, 2_900, 9_000, 32_768, 65_527];

describe.skipIf(!able)("the kernel's echo requests", () => {
  let wire: Namespace;
  let host: MillraceHost;

  beforeAll(async () => {
    wire = await Namespace.make();
    host = await onWire(wire, "--http", "80");
  });
  afterAll(async () => {
    await host?.stop();
    await wire?.[Symbol.asyncDispose]();
  });

  test("ping: of all sizes, in fragments both ways, is answered with its own bytes", async () => {
    for (const size of SIZES) {
      const text = await wire.run(`ping -c 1 -W 2 -s ${size} -p 4d696c6c72616365 10.7.0.2`);
      expect(text).toContain("1 received");
      expect(text).not.toContain("wrong data byte");
    }
  });

  test("ping6: of all sizes, in fragments both ways, is answered with its own bytes", async () => {
    for (const size of SIZES6) {
      const text = await wire.run(`ping -c 1 -W 2 -s ${size} -p 4d696c6c72616365 fd07::2`);
      expect(text).toContain("1 received");
      expect(text).not.toContain("wrong data byte");
    }
  });

  test("ping: a thousand in a second, none is lost", async () => {
    expect(await wire.run("ping -c 1000 -i 0.001 -q 10.7.0.2")).toContain("1000 received");
  });

  test("link-local address: is answered, too", async () => {
    const { interfaces } = await host.status();
    const own = interfaces
      .find(({ name }) => name === "mr0")!
      .addresses.find((text) => text.startsWith("fe80"))!;
    await wire.eventually(`ping -c 1 -W 1 ${own.split("/")[0]}%mr0`);
  });

  test("all nodes: the group is answered by its member", async () => {
    expect(await wire.run("ping -c 2 -i 0.2 -W 1 ff02::1%mr0")).toMatch(/from fe80::/);
  });

  test("traceroute, UDP and ICMP, both families: one hop, reached", async () => {
    for (const flags of ["-n", "-n -I", "-6 -n", "-6 -n -I"]) {
      const target = flags.startsWith("-6") ? "fd07::2" : "10.7.0.2";
      const text = await wire.run(`traceroute ${flags} -q 2 -w 2 -m 4 ${target}`);
      const hops = text.trim().split("\n").slice(1);
      expect(hops).toHaveLength(1);
      expect(hops[0]).toContain(target);
      expect(hops[0]).not.toContain("!");
    }
  });

  test("neighbours: the kernel knows both addresses by the same MAC", async () => {
    const text = await wire.run("ip neigh show dev mr0");
    const macs = ["10.7.0.2", "fd07::2"].map(
      (address) => new RegExp(`^${address} lladdr (\\S+)`, "m").exec(text)?.[1],
    );
    expect(macs[0]).toMatch(/^.[26ae]:/);
    expect(macs[1]).toBe(macs[0]);
    await wire.run("ip neigh flush dev mr0");
    await wire.run("ping -c 1 -W 2 10.7.0.2 && ping -c 1 -W 2 fd07::2");
  });

  test("closed ports: the kernel hears that nobody is there", async () => {
    const tcp = await wire.try("curl -sS --max-time 5 http://10.7.0.2:81/");
    expect(tcp.stderr).toMatch(/refused|Could not connect|Failed to connect/);
    const udp = await wire.try("echo x | socat -t 1 -T 1 - UDP:10.7.0.2:82");
    expect(udp.stderr).toContain("Connection refused");
  });
});
