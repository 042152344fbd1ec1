import { describe, expect, test } from "vitest";
import { after, seconds } from "../../../src/core/time.ts";
import type { DatagramSocket, RemoteInfo } from "../../../src/netstack/node/public.ts";
import { CLIENT, NOBODY, once, SERVER, world } from "./world.ts";

const message = (w: ReturnType<typeof world>, socket: DatagramSocket) =>
  w.until(once(socket, "message")) as Promise<readonly [Buffer, RemoteInfo]>;

describe("datagrams", () => {
  test("sent unbound, the socket is bound first, and the answer comes back", async () => {
    const w = world();
    const server = w.server.createSocket("udp4", (data, from) => {
      server.send(`<${data}>`, from.port, from.address);
    });
    server.bind(53);
    await once(server, "listening");
    expect(server.address()).toEqual({ address: "0.0.0.0", family: "IPv4", port: 53 });
    const client = w.client.createSocket("udp4");
    const sent = new Promise((resolve) =>
      client.send("hello", 53, SERVER, (error, bytes) => resolve([error, bytes])),
    );
    const [data, from] = await message(w, client);
    expect(String(data)).toBe("<hello>");
    expect(from).toEqual({ address: SERVER, family: "IPv4", port: 53, size: 7 });
    expect(await sent).toEqual([null, 5]);
  });

  test.each([
    ["a slice", ["..abc..", 2, 3]],
    ["a list", [["a", Buffer.from("b"), "c"]]],
    ["a buffer", [Buffer.from("abc")]],
  ] as [string, unknown[]][])("%s arrives as one message", async (_name, args) => {
    const w = world();
    const server = w.server.createSocket("udp6").bind(7);
    const client = w.client.createSocket("udp6");
    (client.send as (...all: unknown[]) => void)(...args, 7, "2001:db8::2");
    const [data, from] = await message(w, server);
    expect(String(data)).toBe("abc");
    expect(from).toMatchObject({ address: "2001:db8::1", family: "IPv6" });
  });

  test("to a name, a lookup comes first; an unknown one goes to the callback", async () => {
    const w = world();
    const server = w.server.createSocket("udp4").bind(7);
    const client = w.client.createSocket("udp4");
    client.send("x", 7, "server.test");
    expect((await message(w, server))[1]).toMatchObject({ address: CLIENT });
    const failed = new Promise((resolve) => client.send("x", 7, "nowhere.test", resolve));
    expect(await failed).toMatchObject({ code: "ENOTFOUND" });
  });

  test("one too long for UDP, or without a route, fails with a code", async () => {
    const w = world();
    const client = w.client.createSocket("udp4");
    const fate = (bytes: number, to: string) =>
      new Promise((resolve) => client.send(Buffer.alloc(bytes), 7, to, resolve));
    expect(await w.until(fate(65_508, SERVER))).toMatchObject({
      message: `send EMSGSIZE ${SERVER}:7`,
      errno: -90,
    });
    expect(await w.until(fate(1, "203.0.113.1"))).toMatchObject({ code: "ENETUNREACH" });
    const failed = once(client, "error");
    client.send("x", 7, "203.0.113.1");
    expect(await failed).toMatchObject([{ code: "ENETUNREACH", syscall: "send" }]);
  });

  test("to all on the link, only after setBroadcast", async () => {
    const w = world();
    const server = w.server.createSocket("udp4").bind(7);
    const client = w.client.createSocket("udp4");
    const refused = new Promise((resolve) => client.send("x", 7, "255.255.255.255", resolve));
    expect(await refused).toMatchObject({ code: "EACCES" });
    client.setBroadcast(true);
    client.send("to all", 7, "10.0.0.255");
    expect(String((await message(w, server))[0])).toBe("to all");
  });

  test("an address in use is an error event", async () => {
    const w = world();
    w.server.createSocket("udp4").bind(7);
    const second = w.server.createSocket("udp4").bind(7);
    expect(await once(second, "error").catch((error) => [error])).toMatchObject([
      { message: "bind EADDRINUSE 0.0.0.0:7" },
    ]);
  });

  test("closed, it takes no calls and emits close once", async () => {
    const w = world();
    const socket = w.client.createSocket("udp4").bind();
    const closed = once(socket, "close");
    socket.close();
    await closed;
    const notRunning = expect.objectContaining({ code: "ERR_SOCKET_DGRAM_NOT_RUNNING" });
    expect(() => socket.close()).toThrow(notRunning);
    expect(() => socket.send("x", 7, SERVER)).toThrow(notRunning);
  });
});

describe("connected", () => {
  test("only the peer is heard, sends need no address, and a refusal is told", async () => {
    const w = world();
    const server = w.server.createSocket("udp4").bind(7);
    const client = w.client.createSocket("udp4").bind(5_000);
    client.connect(7, SERVER);
    await w.until(once(client, "connect"));
    expect(client.remoteAddress()).toEqual({ address: SERVER, family: "IPv4", port: 7 });
    client.send("hello");
    await message(w, server);
    const heard: string[] = [];
    client.on("message", (data: Buffer) => void heard.push(String(data)));
    w.server.createSocket("udp4").send("from another port", 5_000, CLIENT);
    server.send("from the peer", 5_000, CLIENT);
    await w.network.settle(after(w.network.now, seconds(1)));
    expect(heard).toEqual(["from the peer"]);
    expect(() => client.send("x", 7, SERVER)).toThrow(
      expect.objectContaining({ code: "ERR_SOCKET_DGRAM_IS_CONNECTED" }),
    );
    server.close();
    client.send("anybody?");
    expect(await w.until(once(client, "error").catch((error) => [error]))).toMatchObject([
      { code: "ECONNREFUSED", syscall: "recvmsg" },
    ]);
    client.disconnect();
    expect(() => client.remoteAddress()).toThrow(
      expect.objectContaining({ code: "ERR_SOCKET_DGRAM_NOT_CONNECTED" }),
    );
    expect(client.address().port).toBe(5_000);
  });

  test("to a name, what is sent meanwhile waits for the lookup", async () => {
    const w = world();
    const server = w.server.createSocket("udp4").bind(7);
    const client = w.client.createSocket("udp4");
    client.connect(7, "server.test");
    client.send("patient");
    expect(String((await message(w, server))[0])).toBe("patient");
    expect(client.remoteAddress().address).toBe(SERVER);
    const lost = w.client.createSocket("udp4");
    lost.connect(7, "nowhere.test");
    expect(await once(lost, "error").catch((error) => [error])).toMatchObject([
      { code: "ENOTFOUND" },
    ]);
    lost.connect(7, SERVER);
    await once(lost, "connect");
  });

  test("to where no route leads: the error, and the socket lives on", async () => {
    const w = world();
    const client = w.client.createSocket("udp4").bind(5_000);
    client.connect(7, "203.0.113.1");
    expect(await w.until(once(client, "error").catch((error) => [error]))).toMatchObject([
      { code: "ENETUNREACH", syscall: "connect" },
    ]);
    const server = w.server.createSocket("udp4").bind(7);
    client.send("x", 7, SERVER);
    expect((await message(w, server))[1].port).toBe(5_000);
  });
});

describe("groups", () => {
  test("members hear what is sent to their group, by the interface that was named", async () => {
    const w = world();
    const server = w.server.createSocket({ type: "udp4", reuseAddr: true }).bind(5_353);
    server.addMembership("224.0.0.251", SERVER);
    const client = w.client.createSocket("udp4");
    client.setMulticastInterface(CLIENT);
    client.setMulticastTTL(4);
    client.send("to the group", 5_353, "224.0.0.251");
    expect(String((await message(w, server))[0])).toBe("to the group");
    server.dropMembership("224.0.0.251", SERVER);
    let heard = 0;
    server.on("message", () => void heard++);
    client.send("again", 5_353, "224.0.0.251");
    await w.network.settle(after(w.network.now, seconds(1)));
    expect(heard).toBe(0);
    expect(() => server.addMembership(NOBODY)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => server.addMembership("224.0.0.251", NOBODY)).toThrow(
      expect.objectContaining({ code: "ENODEV" }),
    );
  });

  test("of one source, others are not heard", async () => {
    const w = world();
    const server = w.server.createSocket("udp6").bind(7);
    const group = "ff3e::8000:1";
    server.addSourceSpecificMembership(NOBODY_V6, group, "::%eth0");
    const client = w.client.createSocket("udp6");
    client.setMulticastInterface("::%eth0");
    let heard = 0;
    server.on("message", () => void heard++);
    client.send("x", 7, group);
    await w.network.settle(after(w.network.now, seconds(1)));
    expect(heard).toBe(0);
    server.addSourceSpecificMembership("2001:db8::1", group, "::%eth0");
    client.send("x", 7, group);
    await w.network.settle(() => heard > 0);
    expect(heard).toBe(1);
  });

  test("link-local peers come with their zone, and can be answered", async () => {
    const w = world();
    await w.network.settle(after(w.network.now, seconds(3)));
    const server = w.server.createSocket("udp6", (data, from) => {
      expect(from.address).toMatch(/^fe80::.*%eth0$/);
      server.send(data, from.port, from.address);
    });
    server.bind(7);
    const local = w.stacks.server.configuration.addresses.find(({ ip }) => ip.startsWith("fe80"))!;
    const client = w.client.createSocket("udp6");
    client.send("near", 7, `${local.ip}%eth0`);
    expect(String((await message(w, client))[0])).toBe("near");
  });
});

const NOBODY_V6 = "2001:db8::99";
