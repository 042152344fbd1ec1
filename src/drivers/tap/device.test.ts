import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { haveNamespaces, runInNamespace } from "../../../test/support/network-namespace.ts";
import { nativeAvailable } from "../../native/libc.ts";

const able = nativeAvailable() === null && (await haveNamespaces());

/** A device on `mr0`, whose kernel side is 10.7.0.1; a port that notes what it is told. */
const BEGIN = `
  const src = process.argv[1];
  const { TapDevice } = await import(src + "/drivers/tap/device.ts");
  const { LinkWatch } = await import(src + "/drivers/tap/link-watch.ts");
  const { TunQueue } = await import(src + "/native/tun.ts");
  const { Packet } = await import(src + "/netstack/packet.ts");
  const { pinnedPacket } = await import(src + "/drivers/tap/pinned-packet.ts");
  const { pseudoSumV4, checksum16, verifies } = await import(src + "/wire/checksum.ts");
  const { createSocket } = await import("node:dgram");
  const MAC = 0x020000000002;
  const open = (queues = 1, mode = "tap") => new TapDevice({
    queues: Array.from({ length: queues }, () => TunQueue.open({ name: "mr0", mode, multiQueue: queues > 1 })),
    mac: MAC, mtu: 1500 });
  const up = () => sh("ip link set lo up; ip addr add 10.7.0.1/24 dev mr0; ip link set mr0 up; ip neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev mr0 2>/dev/null || true");
  const told = [];
  const datagrams = [];
  const port = {
    receive(packet) {
      const { view, start, end } = packet;
      const ip = start + 14;
      if (view.getUint16(start + 12) !== 0x0800 || view.getUint8(ip + 9) !== 17) return;
      const sum = pseudoSumV4(view.getUint32(ip + 12), view.getUint32(ip + 16), 17, end - ip - 20);
      datagrams.push({ length: end - start, checksum: packet.checksum, offset: packet.checksumStart - ip + packet.checksumOffset,
        pseudo: view.getUint16(ip + 26) === sum });
    },
    ready() { told.push("ready"); },
    linkChanged(on) { told.push(on ? "up" : "down"); },
    mtuChanged(mtu) { told.push(mtu); },
  };
  const socket = () => new Promise((done) => { const s = createSocket("udp4"); s.bind(5000, "10.7.0.1", () => done(s)); });
  /** A datagram from 10.7.0.2 to the socket, its checksum left to the kernel. */
  function datagram(packet, length, macText) {
    const { view } = packet;
    packet.reset();
    const at = packet.start;
    const ip = at + 14;
    macText.split(":").forEach((byte, i) => view.setUint8(at + i, parseInt(byte, 16)));
    view.setUint16(at + 6, 0x0200); view.setUint32(at + 8, 2);
    view.setUint16(at + 12, 0x0800);
    view.setUint32(ip, 0x45000000 + 28 + length); view.setUint32(ip + 4, 0); view.setUint32(ip + 8, 0x40110000);
    view.setUint32(ip + 12, 0x0a070002); view.setUint32(ip + 16, 0x0a070001);
    view.setUint16(ip + 10, checksum16(view, ip, ip + 20));
    view.setUint16(ip + 20, 4000); view.setUint16(ip + 22, 5000); view.setUint16(ip + 24, 8 + length);
    view.setUint16(ip + 26, pseudoSumV4(0x0a070002, 0x0a070001, 17, 8 + length));
    for (let i = 0; i < length; i++) view.setUint8(ip + 28 + i, i & 255);
    packet.end = ip + 28 + length;
    packet.checksum = "partial"; packet.checksumStart = ip + 20; packet.checksumOffset = 6;
    return packet;
  }
  const until = async (done, device) => { for (let i = 0; i < 300 && !done(); i++) { device?.receive(64); await pause(10); } };
`;

const inNamespace = (script: string): Promise<unknown[]> =>
  runInNamespace(BEGIN + script, fileURLToPath(new URL("../..", import.meta.url)).slice(0, -1));

describe.skipIf(!able)("tap device, in a network namespace", () => {
  test("frames of the kernel: arrive with the checksum left out, and say so", async () => {
    const [seen] = await inNamespace(`
      const device = open(); device.attach(port); up();
      const s = await socket();
      s.send(Buffer.alloc(1000), 4000, "10.7.0.2");
      await until(() => datagrams.length > 0, device);
      say(datagrams[0]);
      device.close(); s.close();
    `);
    expect(seen).toEqual({ length: 1042, checksum: "partial", offset: 26, pseudo: true });
  });

  test("without offload: frames arrive with complete checksums", async () => {
    const [seen] = await inNamespace(`
      const device = new TapDevice({ queues: [TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false })], mac: MAC, mtu: 1500, offload: false });
      device.attach(port); up();
      const s = await socket();
      s.send(Buffer.alloc(1000), 4000, "10.7.0.2");
      await until(() => datagrams.length > 0, device);
      say([device.offload, datagrams[0].checksum, datagrams[0].pseudo]);
      device.close(); s.close();
    `);
    const none = { checksum: false, tcpV4: false, tcpV6: false, udp: false };
    expect(seen).toEqual([none, "complete", false]);
  });

  test("without offload: segments of a batch come merged, and the data whole", async () => {
    const [seen] = await inNamespace(`
      const { TapHost } = await import(src + "/drivers/tap/host.ts");
      const { DiscardService } = await import(src + "/cli/host/discard.ts");
      const { serve } = await import(src + "/cli/host/serve.ts");
      const { connect } = await import("node:net");
      const host = TapHost.open({ name: "mr0", addresses: ["10.7.0.2/24"], offload: false, onFault: (e) => { throw e; } });
      const discard = new DiscardService();
      await serve(discard, 9, host.transport(), host.stack.udp);
      sh("ip addr add 10.7.0.1/24 dev mr0; ip link set mr0 up");
      const client = connect(9, "10.7.0.2");
      client.write(Buffer.alloc(1e6));
      await until(() => discard.counters.bytesIn === 1e6);
      const sent = JSON.parse(sh("ip -s -j link show mr0"))[0].stats64.tx.packets;
      const { inFrames } = host.stack.interface("mr0").counters;
      say([discard.counters.bytesIn, inFrames > 0 && inFrames < sent / 2]);
      client.destroy(); host.close();
    `);
    expect(seen).toEqual([1e6, true]);
  });

  test("frames to the kernel, from pinned and other memory: it completes the checksum and takes them", async () => {
    const said = await inNamespace(`
      const device = open(); device.attach(port); up();
      const mac = /ether (\\S+)/.exec(sh("ip link show mr0"))[1];
      const s = await socket();
      const got = [];
      s.on("message", (data) => got.push([data.length, data.every((byte, i) => byte === (i & 255))]));
      say(device.transmit(datagram(pinnedPacket(), 900, mac)));
      say(device.transmit(datagram(Packet.allocate(), 901, mac)));
      await until(() => got.length === 2, device);
      say(got);
      device.close(); s.close();
    `);
    expect(said).toEqual([
      true,
      true,
      [
        [900, true],
        [901, true],
      ],
    ]);
  });

  test("interface down, MTU changed, up: the port is told by the watch, frames are dropped meanwhile", async () => {
    const said = await inNamespace(`
      const device = open();
      const watch = new LinkWatch(() => {});
      watch.add(device); device.attach(port); up();
      watch.look();
      sh("ip link set mr0 mtu 9000"); watch.look();
      sh("ip link set mr0 down"); watch.look();
      say(device.transmit(datagram(pinnedPacket(), 100, "02:00:00:00:00:09")));
      sh("ip link set mr0 up"); watch.look();
      say(told);
      watch.close(); device.close();
    `);
    expect(said).toEqual([true, ["down", "up", 9000, "down", "up"]]);
  });

  test("interface in another namespace: a failing write tells that it is down, a probe that it is up", async () => {
    const said = await inNamespace(`
      const device = open();
      const { spawn } = await import("node:child_process");
      const other = spawn("unshare", ["-n", "sleep", "20"]);
      const where = () => { try { return sh("readlink /proc/" + other.pid + "/ns/net") !== sh("readlink /proc/self/ns/net"); } catch { return false; } };
      await until(where);
      sh("ip link set mr0 netns " + other.pid);
      const there = (line) => sh("nsenter -t " + other.pid + " -n " + line);
      there("ip link set mr0 up");
      const watch = new LinkWatch(() => {});
      device.attach(port); watch.add(device);
      const send = () => { device.transmit(datagram(pinnedPacket(), 100, "02:00:00:00:00:09")); device.settle(); };
      send(); say(told);
      there("ip link set mr0 down");
      send(); say(told);
      watch.look(); say(told);
      there("ip link set mr0 up");
      watch.look(); send(); say(told);
      watch.close(); device.close(); other.kill();
    `);
    expect(said).toEqual([[], ["down"], ["down"], ["down", "up"]]);
  });

  test("interface removed, down or up: told once, not taken for another of its name, nobody waits for it", async () => {
    const said = await inNamespace(`
      const { TapLoop } = await import(src + "/drivers/tap/loop.ts");
      for (const before of ["up", "down"]) {
        const device = open(); device.attach(port); up();
        const watch = new LinkWatch(() => {});
        watch.add(device);
        device.onGone = () => told.push("gone");
        const loop = new TapLoop((error) => told.push(String(error)));
        loop.add(device);
        loop.drive({ run: () => undefined, nextTimeout: () => undefined });
        sh("ip link set mr0 " + before); watch.look();
        sh("ip link del mr0");
        await until(() => told.includes("gone"));
        const { turns } = loop;
        await pause(200);
        const other = open(); sh("ip link set mr0 up"); watch.look();
        say([told.splice(0).at(-1), told.length, loop.turns - turns, device.probe(), device.down]);
        loop.close(); watch.close(); device.close(); other.close();
      }
    `);
    expect(said).toEqual(Array(2).fill(["gone", 0, 0, false, true]));
  });

  test("several queues: all are read", async () => {
    const [count] = await inNamespace(`
      const device = open(4); device.attach(port); up();
      const sockets = [];
      for (let i = 0; i < 16; i++) {
        const s = createSocket("udp4");
        await new Promise((done) => s.bind(6000 + i, "10.7.0.1", done));
        s.send(Buffer.alloc(10), 4000, "10.7.0.2");
        sockets.push(s);
      }
      await until(() => datagrams.length >= 16, device);
      say(datagrams.length);
      device.close(); for (const s of sockets) s.close();
    `);
    expect(count).toBe(16);
  });
});
