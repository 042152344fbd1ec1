import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import type { RunningProcess } from "../../support/processes.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { DrivenStack } from "./driven-stack.ts";
import { canTap, MillraceHost } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";
import type { StackFacts } from "./programs/stack.ts";

const able = await canTap("curl", "nc", "dhcpd", "dnsmasq", "radvd");
const LEASED = /dhcp on mr0: bound, 10\.7\.0\.(\d+)/;

/** At once: they mostly wait. Each has a router of its own, with a network behind it. */
describe.skipIf(!able).concurrent("configured by the network", () => {
  test("dhcpd's lease of 4 seconds: is taken, renewed, its router used; given back at the end", async ({
    expect,
  }) => {
    await using wire = await router();
    const folder = temporaryFolder("kernel");
    const leases = join(folder, "leases");
    await dhcpd(wire, folder, 4);
    const host = await MillraceHost.start(wire, "--tap", "mr0", "--dhcp", "--http", "80");
    await host.process.waitForOutput(LEASED, 15_000);
    const address = `10.7.0.${LEASED.exec(host.process.stderr)![1]}`;
    await wire.eventually(`ping -c 1 -W 1 ${address}`);
    // From another network: the answer goes by the router of the lease.
    await wire.run(`ping -c 1 -W 2 -I 10.99.0.1 ${address}`);
    const expiry = () => wire.run(`grep -c 'starts' ${leases}`).then(Number);
    const before = await expiry();
    await expect.poll(expiry, { timeout: 6_000 }).toBeGreaterThan(before + 1);
    const { nameServers, routes } = await host.status(address);
    expect(nameServers).toEqual(["10.7.0.53"]);
    expect(routes).toContainEqual(
      expect.objectContaining({ destination: "0.0.0.0/0", via: "10.7.0.1", origin: "dhcp" }),
    );
    await wire.run(`(sleep 9 | nc ${address} 80) >/dev/null 2>&1 &`);
    const connections = `ss -tnH state established dst ${address} | grep -q .`;
    await wire.eventually(connections);
    await host.stop();
    // Reset while the address was still there, and the lease given back for others.
    await wire.eventually(`! ${connections}`, 2_000);
    await wire.eventually(`grep -q '^ *binding state free' ${leases}`, 2_000);
  });

  test("dnsmasq's lease and router advertisement: address, router, name servers of both", async ({
    expect,
  }) => {
    await using wire = await router();
    const leases = join(temporaryFolder("kernel"), "leases");
    const dnsmasq = await wire.start({
      command: "dnsmasq",
      args: [
        "--no-daemon --conf-file=/dev/null --port=0 --user=root --interface=mr0 --bind-interfaces",
        "--dhcp-range=10.7.0.110,10.7.0.119,2m --dhcp-option=3,10.7.0.1 --dhcp-option=6,10.7.0.53",
        "--enable-ra --dhcp-range=fd07::,ra-stateless,64 --dhcp-option=option6:dns-server,[fd07::53]",
        `--domain=example.test --dhcp-leasefile=${leases}`,
      ].flatMap((line) => line.split(" ")),
    });
    await using stack = await DrivenStack.start(wire, { name: "mr0", addresses: [], dhcp: true });
    const facts = async () => (await stack.ask({ op: "facts" })) as StackFacts;
    await expect
      .poll(async () => (await facts()).nameServers, { timeout: 15_000 })
      .toEqual(expect.arrayContaining(["10.7.0.53", "fd07::53"]));
    await expect
      .poll(async () => (await facts()).addresses.join(" "), { timeout: 10_000 })
      .toMatch(/fd07:\S+\/64 preferred stable.* 10\.7\.0\.11\d\/24 preferred dhcp/);
    expect(dnsmasq.stderr + dnsmasq.stdout).toMatch(/DHCPACK/);
    expect(await stack.ask({ op: "ping", to: "fd99::1", size: 100 })).toBe("equal");
    expect(await stack.ask({ op: "ping", to: "10.99.0.1", size: 100 })).toBe("equal");
  });

  test("radvd: an address of the prefix by SLAAC, a default route, name servers; gone with its lifetime", async ({
    expect,
  }) => {
    await using wire = await router();
    const daemon = await radvd(
      wire,
      "AdvDefaultLifetime 60;",
      "AdvValidLifetime 4; AdvPreferredLifetime 2;",
    );
    await using stack = await DrivenStack.start(wire, { name: "mr0", addresses: [] });
    const facts = async () => (await stack.ask({ op: "facts" })) as StackFacts;
    await expect
      .poll(async () => (await facts()).addresses.join(" "), { timeout: 10_000 })
      .toMatch(/fd07:\S+\/64 preferred stable/);
    const { addresses, nameServers, domains } = await facts();
    expect([nameServers, domains]).toEqual([["fd07::53"], ["example.test"]]);
    const own = addresses.find((text) => text.startsWith("fd07"))!.split("/")[0]!;
    await wire.eventually(`ping -c 1 -W 1 ${own}`);
    await wire.run(`ping -c 1 -W 2 -I fd99::1 ${own}`);
    expect(await wire.run(`ip -6 neigh show ${own} dev mr0`)).toContain("lladdr");
    expect(await stack.ask({ op: "ping", to: "fd99::1", size: 100 })).toBe("equal");
    await daemon.stop("SIGKILL");
    await expect
      .poll(async () => (await facts()).addresses.join(" "), { timeout: 8_000 })
      .not.toContain("fd07");
  });
});

/** 10.7.0.1 and fd07::1 on mr0, which is there without a stack; 10.99.0.1 and fd99::1 behind. */
async function router(): Promise<Namespace> {
  const wire = await Namespace.make();
  await wire.run("ip tuntap add dev mr0 mode tap; ip link set mr0 up");
  await wire.run("ip addr add 10.7.0.1/24 dev mr0; ip addr add fd07::1/64 dev mr0 nodad");
  await wire.run("ip addr add 10.99.0.1/32 dev lo; ip addr add fd99::1/128 dev lo nodad");
  await wire.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
  return wire;
}

async function dhcpd(wire: Namespace, folder: string, lease: number): Promise<void> {
  const leases = join(folder, "leases");
  writeFileSync(leases, "");
  const file = join(folder, "dhcpd.conf");
  writeFileSync(
    file,
    `default-lease-time ${lease}; max-lease-time ${lease}; min-lease-time ${lease}; authoritative;
     subnet 10.7.0.0 netmask 255.255.255.0 {
       range 10.7.0.100 10.7.0.109; option routers 10.7.0.1; option domain-name-servers 10.7.0.53;
     }`,
  );
  await wire.start({
    command: "dhcpd",
    args: ["-f", "-4", "-cf", file, "-lf", leases, "-pf", join(folder, "dhcpd.pid"), "mr0"],
    ready: { output: /Server starting|Sending on/ },
  });
}

async function radvd(wire: Namespace, router: string, prefix: string): Promise<RunningProcess> {
  const folder = temporaryFolder("kernel");
  const file = join(folder, "radvd.conf");
  writeFileSync(
    file,
    `interface mr0 {
       AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; ${router}
       prefix fd07::/64 { AdvOnLink on; AdvAutonomous on; ${prefix} };
       RDNSS fd07::53 { }; DNSSL example.test { };
     };`,
  );
  return wire.start({
    command: "radvd",
    args: ["-n", "-C", file, "-p", join(folder, "radvd.pid"), "-m", "stderr"],
  });
}
