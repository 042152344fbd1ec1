import { expect, it } from "vitest";
import { sameAddress } from "../../../core/address.ts";
import { NetError } from "../../../core/errors.ts";
import type { Scene } from "../transport-suite.ts";
import { at } from "../world.ts";

export function listeningCases(scene: Scene): void {
  it("port 0: the listener names the port it got, and both ends name each other", async () => {
    const { client, server, listener } = await scene.world.pair();
    const { address } = listener;
    expect(address).toMatchObject({ kind: "ip", ip: "127.0.0.1" });
    expect(address.kind === "ip" && address.port).toBeGreaterThan(0);
    expect(client.stream.remote).toEqual(address);
    expect(server.stream.local).toEqual(address);
    expect(sameAddress(server.stream.remote, client.stream.local)).toBe(true);
  });

  it("IPv6: bytes go both ways", async () => {
    const { client, server } = await scene.world.pair("[::1]:0");
    expect(server.stream.remote).toMatchObject({ kind: "ip", ip: "::1" });
    client.send("ping");
    server.send("pong");
    await scene.world.until("both", () => server.text === "ping" && client.text === "pong");
  });

  it("all addresses of both families: an IPv4 client is named by its IPv4 address", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const client = world.recorder("client");
    const listener = await world.listen("[::]:0", [server]);
    const port = listener.address.kind === "ip" ? listener.address.port : 0;
    world.connect(at(`127.0.0.1:${port}`), client);
    client.send("x");
    await world.until("byte", () => server.text === "x");
    expect(server.stream.remote).toMatchObject({ kind: "ip", ip: "127.0.0.1" });
    expect(server.stream.local).toMatchObject({ kind: "ip", ip: "127.0.0.1", port });
  });

  it("ipv6Only: an IPv4 client is refused", async () => {
    const { world } = scene;
    const client = world.recorder("client");
    const listener = await world.listen("[::]:0", [], { ipv6Only: true });
    const port = listener.address.kind === "ip" ? listener.address.port : 0;
    world.connect(at(`127.0.0.1:${port}`), client);
    await world.until("close", () => client.closed);
    expect(client.closes[0]?.code).toBe("ECONNREFUSED");
  });

  it("an address in use: rejects with EADDRINUSE", async () => {
    const { listener } = await scene.world.pair();
    const taken = scene.world.transport.listen(listener.address, {}, () => null);
    const error = await taken.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetError);
    expect(error).toMatchObject({ code: "EADDRINUSE" });
  });

  it("an address of another machine: rejects with EADDRNOTAVAIL", async () => {
    const error = await scene.world.listen("192.0.2.1:0", []).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "NetError", code: "EADDRNOTAVAIL" });
  });

  it.skipIf(process.platform !== "linux")("reusePort: two listeners share a port", async () => {
    const { world } = scene;
    const accepted: string[] = [];
    const listen = (name: string, address: string) =>
      world.transport.listen(at(address), { reusePort: true }, () => {
        accepted.push(name);
        return world.recorder(name);
      });
    const first = await listen("first", "127.0.0.1:0");
    const port = first.address.kind === "ip" ? first.address.port : 0;
    await listen("second", `127.0.0.1:${port}`);
    for (let i = 0; i < 64; i++) world.connect(first.address, world.recorder(`client ${i}`));
    await world.until("all", () => accepted.length === 64);
    // Each goes to either by a hash of its address: 2^-63 that one gets none.
    expect(new Set(accepted)).toEqual(new Set(["first", "second"]));
  });

  it("the acceptor refuses: the client's stream is reset", async () => {
    const { world } = scene;
    const client = world.recorder("client");
    const listener = await world.listen("127.0.0.1:0", []);
    world.connect(listener.address, client);
    await world.until("close", () => client.closed);
    expect(client.closes[0]?.code).toBe("ECONNRESET");
  });

  it("closed: streams live on, newcomers are refused, the address is free", async () => {
    const { world } = scene;
    const { client, server, listener } = await world.pair();
    listener.close();
    listener.close();
    const late = world.recorder("late");
    world.connect(listener.address, late);
    await world.until("refusal", () => late.closed);
    expect(late.closes[0]?.code).toBe("ECONNREFUSED");
    client.send("still here");
    await world.until("bytes", () => server.text === "still here");
  });

  it("paused: nobody is accepted until resumed, then all are", async () => {
    const { world } = scene;
    const servers = [world.recorder("server 1"), world.recorder("server 2")];
    const clients = [world.recorder("client 1"), world.recorder("client 2")];
    let accepted = 0;
    const listener = await world.transport.listen(at("127.0.0.1:0"), {}, (stream) => {
      const server = servers[accepted++]!;
      server.stream = stream;
      return server;
    });
    listener.pause();
    for (const client of clients) {
      world.connect(listener.address, client);
      client.send("early");
    }
    await world.quiet();
    expect(accepted).toBe(0);
    listener.resume();
    await world.until("both", () => servers.every((server) => server.text === "early"));
  });
}
