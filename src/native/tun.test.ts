import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { haveNamespaces, runInNamespace } from "../../test/support/network-namespace.ts";
import { nativeAvailable } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";
import { isInterfaceName, TunQueue } from "./tun.ts";

const linux = nativeAvailable() === null;

const BEGIN = `
  const { TunQueue, VNET_HEADER } = await import(process.argv[1] + "/tun.ts");
  const { InterfaceQuery } = await import(process.argv[1] + "/interface-query.ts");
  const { PinnedMemory } = await import(process.argv[1] + "/memory.ts");
  const code = (run) => { try { run(); return null; } catch (error) { return error.code + " " + error.message; } };
`;

const inNamespace = (script: string): Promise<unknown[]> =>
  runInNamespace(BEGIN + script, fileURLToPath(new URL(".", import.meta.url)).slice(0, -1));

const able = linux && (await haveNamespaces());

describe.skipIf(!able)("tun queue, in a network namespace", () => {
  it("opened: gives a tap with a virtio-net header, an MTU and a MAC, and goes when closed", async () => {
    const said = await inNamespace(`
      const queue = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false });
      const query = new InterfaceQuery();
      say([queue.name, queue.mode, queue.vnetHeader, queue.multiQueue, query.mtu("mr0")]);
      say(query.setMtu("mr0", 65520) === 0 && query.mtu("mr0"));
      say(query.mac("mr0") > 0);
      say([query.flags("mr0") & 1, query.setUp("mr0", true), query.flags("mr0") & 1]);
      queue.close();
      say(query.mtu("mr0"));
    `);
    expect(said).toEqual([["mr0", "tap", true, false, 1500], 65520, true, [0, 0, 1], -19]);
  });

  it("written and read: frames pass both ways with their header", async () => {
    const said = await inNamespace(`
      const queue = TunQueue.open({ name: "mr0", mode: "tun", multiQueue: false });
      const query = new InterfaceQuery();
      const memory = new PinnedMemory(2048);
      memory.bytes[VNET_HEADER] = 0x45;
      say(queue.write(memory, 0, VNET_HEADER + 40));
      query.setUp("mr0", true);
      say(queue.write(memory, 0, VNET_HEADER + 40));
      let n = -11;
      for (let i = 0; i < 200 && n === -11; i++) {
        n = queue.read(memory, 0, 2048);
        if (n === -11) await pause(20);
      }
      say([n > VNET_HEADER, memory.bytes[VNET_HEADER] >> 4]);
      while (queue.read(memory, 0, 2048) > 0);
      say(queue.read(memory, 0, 2048));
    `);
    // EIO while the interface is down; then Linux sends a router solicitation by itself; EAGAIN.
    expect(said).toEqual([-5, 0, [true, 6], -11]);
  });

  it("offload: what is asked for is granted, or less, and never more", async () => {
    const said = (await inNamespace(`
      const queue = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false });
      say(queue.setOffload({ checksum: true, tcp: true, udp: true }));
      say(queue.setOffload({ checksum: true, tcp: false, udp: false }));
      say(queue.setOffload({ checksum: false, tcp: false, udp: false }));
    `)) as { checksum: boolean; tcp: boolean }[];
    expect(said[0]).toMatchObject({ checksum: true, tcp: true });
    expect(said[1]).toEqual({ checksum: true, tcp: false, udp: false });
    expect(said[2]).toEqual({ checksum: false, tcp: false, udp: false });
  });

  it("several queues: each is opened by itself, one can be detached and attached", async () => {
    const said = await inNamespace(`
      const first = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: true });
      const second = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: true });
      say([first.multiQueue, second.setEnabled(false), second.setEnabled(true)]);
    `);
    expect(said).toEqual([[true, 0, 0]]);
  });

  it("persistent: made for several queues, it opens with one as well", async () => {
    const said = await inNamespace(`
      const made = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: true });
      say(made.setPersistent(true));
      made.close();
      const again = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false });
      say([again.multiQueue, again.vnetHeader]);
    `);
    expect(said).toEqual([0, [true, true]]);
  });

  it("busy or of another kind: says so, and closes what it opened", async () => {
    const said = await inNamespace(`
      const { readdirSync } = await import("node:fs");
      const first = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false });
      const open = readdirSync("/proc/self/fd").length;
      say(code(() => TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false })));
      say(code(() => TunQueue.open({ name: "mr0", mode: "tun", multiQueue: false })));
      say(code(() => TunQueue.open({ name: "lo", mode: "tun", multiQueue: false })));
      say(readdirSync("/proc/self/fd").length - open);
    `);
    expect(said[0]).toMatch(/^EADDRINUSE .*mr0 is in use/);
    expect(said[1]).toMatch(/^EINVAL .*mr0 exists and is not a tun/);
    expect(said[2]).toMatch(/^EINVAL .*lo exists/);
    expect(said[3]).toBe(0);
  });

  it("without rights: the error says which command to run; a descriptor that is handed over works", async () => {
    const said = await inNamespace(`
      const { chmodSync } = await import("node:fs");
      const first = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false });
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
      say(code(() => TunQueue.open({ name: "mr1", mode: "tap", multiQueue: false })));
      const second = TunQueue.adopt(first.fd);
      say([second.name, second.mode, second.vnetHeader, second.setOffload({ checksum: true, tcp: true, udp: false })]);
    `);
    expect(said[0]).toMatch(/^EACCES .*(ip tuntap add dev mr1 mode tap user|run as root)/);
    expect(said[1]).toEqual(["mr0", "tap", true, { checksum: true, tcp: true, udp: false }]);
  });

  it("adopted: of devices of either kind, those with packet information before frames are refused", async () => {
    const said = await inNamespace(`
      const { libc } = await import(process.argv[1] + "/libc.ts");
      const T = await import(process.argv[1] + "/tun-constants.ts");
      const c = libc();
      function handed(name, flags) {
        const fd = c.open("/dev/net/tun", T.O_RDWR);
        const request = new PinnedMemory(T.IFREQ);
        request.bytes.write(name);
        request.bytes.writeUInt16LE(flags, T.IFNAMSIZ);
        if (c.ioctl(fd, T.TUNSETIFF, request.address) !== 0) throw new Error("TUNSETIFF");
        return code(() => TunQueue.adopt(fd));
      }
      let i = 0;
      for (const kind of [T.IFF_TAP, T.IFF_TUN]) {
        for (const more of [T.IFF_NO_PI, T.IFF_NO_PI | T.IFF_VNET_HDR, 0, T.IFF_VNET_HDR]) {
          say(handed("mr" + i++, kind | more));
        }
      }
    `);
    const refused = /no open TUN or TAP device without packet information/;
    const wanted = [null, null, expect.stringMatching(refused), expect.stringMatching(refused)];
    expect(said).toEqual([...wanted, ...wanted]);
  });
});

describe.skipIf(!linux)("tun queue", () => {
  it("adopted: what is no tun device is refused", () => {
    expect(() => TunQueue.adopt(0)).toThrow(/no open TUN or TAP device/);
  });

  it("names: those that the kernel refuses are refused before it is asked", () => {
    expect(["tap0", "a.b", "x".repeat(15)].every(isInterfaceName)).toBe(true);
    const bad = ["", "x".repeat(16), "a b", "a/b", ".", "..", "a:1", "ü"];
    expect(bad.some(isInterfaceName)).toBe(false);
    expect(() => TunQueue.open({ name: "a b", mode: "tap", multiQueue: false })).toThrow(/no name/);
  });

  it("memory: a range outside of it never gets to the kernel", () => {
    const read = TunQueue.prototype.read;
    const memory = new PinnedMemory(64);
    for (const [start, end] of [
      [-1, 10],
      [0, 65],
      [10, 9],
    ] as const) {
      expect(() => read.call({} as TunQueue, memory, start, end)).toThrow(RangeError);
    }
  });
});
