import { describe, test } from "vitest";
import { canTap, MillraceHost, onWire } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";

const able = await canTap("curl", "traceroute", "socat");
const LENGTH = 20_000_000;
const SIZES = [0, 56, 1_472, 1_473, 9_000, 60_000];

describe.skipIf(!able).concurrent("the kernel as the router before the stack", () => {
  test("ping, curl and traceroute reach it through the router", async ({ expect }) => {
    await using network = await KernelRouter.start();
    const { far } = network;
    await pingAll(far, "10.7.0.2", "fd07::2");
    expect(await loaded(far, "10.7.0.2")).toEqual([LENGTH, LENGTH]);
    expect(await loaded(far, "[fd07::2]")).toEqual([LENGTH, LENGTH]);
    expect(await hops(far, "-n", "10.7.0.2")).toEqual(["10.8.0.1", "10.7.0.2"]);
    expect(await hops(far, "-6 -n", "fd07::2")).toEqual(["fd08::1", "fd07::2"]);
  });

  test("the path's MTU is less than the link's: ICMP tells, all arrives", async ({ expect }) => {
    await using network = await KernelRouter.start();
    const { near, far } = network;
    await near.run("ip link set mid mtu 1400");
    await far.run("ip link set mid mtu 1400");
    // The far end would offer a small MSS by itself: it does not know.
    await far.run("ip route change default via 10.8.0.1 advmss 1460");
    await far.run("ip -6 route change default via fd08::1 advmss 1440");
    expect(await loaded(far, "10.7.0.2")).toEqual([LENGTH, LENGTH]);
    expect(await loaded(far, "[fd07::2]")).toEqual([LENGTH, LENGTH]);
    expect(await counter(near, "Icmp", "OutDestUnreachs")).toBeGreaterThan(0);
    await far.run("ping -c 1 -W 2 -s 8000 10.7.0.2 && ping -c 1 -W 2 -s 8000 fd07::2");
  });

  test("the path's MTU falls in mid-flow: all arrives", async ({ expect }) => {
    await using network = await KernelRouter.start();
    const { near, far } = network;
    const flows = [
      far.run(`curl -sS --limit-rate 20M --max-time 15 http://10.7.0.2/bytes/${LENGTH} | wc -c`),
      far.run(
        `curl -gsS --limit-rate 20M --max-time 15 'http://[fd07::2]/bytes/${LENGTH}' | wc -c`,
      ),
    ];
    await near.run("sleep 0.4; ip link set mid mtu 1300");
    await far.run("ip link set mid mtu 1300");
    expect((await Promise.all(flows)).map(Number)).toEqual([LENGTH, LENGTH]);
  });
});

describe.skipIf(!able).concurrent("Millrace as the router between two namespaces", () => {
  test("ping of all sizes, curl and UDP go through it", async ({ expect }) => {
    await using network = await MillraceRouter.start();
    const { left, right } = network;
    await pingAll(left, "10.2.0.2", "fd02::2");
    await pingAll(right, "10.1.0.2", "fd01::2");
    const sink = await right.start({
      command: "socat",
      args: ["-u", "TCP6-LISTEN:900,ipv6only=0,fork", "SYSTEM:wc -c >&2"],
    });
    for (const target of ["TCP:10.2.0.2:900", "TCP:[fd02::2]:900"]) {
      await left.eventually(`head -c ${LENGTH} /dev/zero | socat -u - ${target}`);
    }
    await expect.poll(() => sink.stderr.trim().split("\n")).toEqual([`${LENGTH}`, `${LENGTH}`]);
    await right.start({ command: "socat", args: ["UDP-RECVFROM:901,fork", "EXEC:cat"] });
    expect(await left.eventually("echo hello | socat -t 0.5 - UDP:10.2.0.2:901 | grep hello")).toBe(
      "hello\n",
    );
  });

  test("traceroute: it tells that the hop limit ran out", async ({ expect }) => {
    await using network = await MillraceRouter.start();
    const { left, right } = network;
    expect(await hops(left, "-n", "10.2.0.2")).toEqual(["10.1.0.1", "10.2.0.2"]);
    expect(await hops(left, "-n -I", "10.2.0.2")).toEqual(["10.1.0.1", "10.2.0.2"]);
    expect(await hops(right, "-6 -n", "fd01::2")).toEqual(["fd02::1", "fd01::2"]);
    expect(await hops(right, "-6 -n -I", "fd01::2")).toEqual(["fd02::1", "fd01::2"]);
  });

  test("no route, no neighbour: it tells which", async ({ expect }) => {
    await using network = await MillraceRouter.start();
    const { left } = network;
    const told = await Promise.all(
      ["10.9.9.9", "fd99::9", "10.2.0.77", "fd02::77"].map((target) =>
        left.try(`ping -c 1 -W 6 ${target}`),
      ),
    );
    const [noRoute, noRoute6, noHost, noHost6] = told.map(({ stdout }) => stdout);
    expect(noRoute).toContain("Net Unreachable");
    expect(noRoute6).toContain("No route");
    expect(noHost).toContain("Host Unreachable");
    expect(noHost6).toContain("Address unreachable");
  });
});

/** far 10.8.0.2, fd08::2 — cable — near (router) — mr0 — the stack 10.7.0.2, fd07::2. */
class KernelRouter implements AsyncDisposable {
  readonly near: Namespace;
  readonly far: Namespace;

  private constructor(near: Namespace, far: Namespace) {
    this.near = near;
    this.far = far;
  }

  static async start(): Promise<KernelRouter> {
    const near = await Namespace.make();
    const far = await Namespace.make();
    await near.cable("mid", far);
    await near.run(`
      sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
      ip addr add 10.8.0.1/24 dev mid; ip addr add fd08::1/64 dev mid nodad; ip link set mid up`);
    await far.run(`
      ip addr add 10.8.0.2/24 dev mid; ip addr add fd08::2/64 dev mid nodad; ip link set mid up
      ip route add default via 10.8.0.1; ip -6 route add default via fd08::1`);
    await onWire(near, "--gateway", "10.7.0.1", "--gateway", "fd07::1", "--http", "80");
    await far.eventually("ping -c 1 -W 1 10.7.0.2");
    await far.eventually("ping -c 1 -W 1 fd07::2");
    return new KernelRouter(near, far);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.far[Symbol.asyncDispose]();
    await this.near[Symbol.asyncDispose]();
  }
}

/** left 10.1.0.2, fd01::2 — ra — Millrace — rb — right 10.2.0.2, fd02::2. */
class MillraceRouter implements AsyncDisposable {
  readonly left: Namespace;
  readonly right: Namespace;

  private constructor(left: Namespace, right: Namespace) {
    this.left = left;
    this.right = right;
  }

  static async start(): Promise<MillraceRouter> {
    const left = await Namespace.make();
    const right = await Namespace.make();
    await left.run("ip tuntap add dev rb mode tap");
    const addresses = ["ra=10.1.0.1/24", "ra=fd01::1/64", "rb=10.2.0.1/24", "rb=fd02::1/64"];
    const flags = addresses.flatMap((address) => ["--address", address]);
    await MillraceHost.start(
      left,
      "--tap",
      "ra",
      "--tap",
      "rb",
      ...flags,
      "--forward",
      "--no-probe",
    );
    await left.hand("rb", right);
    await join(left, "ra", 1);
    await join(right, "rb", 2);
    await left.eventually("ping -c 1 -W 1 10.2.0.2");
    await left.eventually("ping -c 1 -W 1 fd02::2");
    return new MillraceRouter(left, right);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.left[Symbol.asyncDispose]();
    await this.right[Symbol.asyncDispose]();
  }
}

async function join(namespace: Namespace, link: string, net: number): Promise<void> {
  await namespace.run(`
    ip addr add 10.${net}.0.2/24 dev ${link}; ip addr add fd0${net}::2/64 dev ${link} nodad
    ip link set ${link} up
    ip route add default via 10.${net}.0.1; ip -6 route add default via fd0${net}::1`);
}

async function pingAll(from: Namespace, ...targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    for (const size of SIZES) await from.run(`ping -c 1 -W 2 -s ${size} ${target}`);
  }
}

/** How much of LENGTH bytes came down, and went up. */
async function loaded(from: Namespace, host: string): Promise<readonly [number, number]> {
  const down = await from.run(`curl -gsS --max-time 15 'http://${host}/bytes/${LENGTH}' | wc -c`);
  const up = await from.run(
    `head -c ${LENGTH} /dev/zero | curl -gsS --max-time 15 -T - 'http://${host}/sum'`,
  );
  return [Number(down), (JSON.parse(up) as { length: number }).length];
}

/** The addresses that answered traceroute, in order. */
async function hops(from: Namespace, flags: string, target: string): Promise<readonly string[]> {
  const text = await from.run(`traceroute ${flags} -q 1 -w 3 -m 5 ${target}`);
  return text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[1]!);
}

/** One of the kernel's SNMP counters. */
async function counter(namespace: Namespace, group: string, name: string): Promise<number> {
  const text = await namespace.run("cat /proc/net/snmp");
  const [names, values] = text.split("\n").filter((line) => line.startsWith(`${group}:`));
  return Number(values!.split(" ")[names!.split(" ").indexOf(name)]);
}
