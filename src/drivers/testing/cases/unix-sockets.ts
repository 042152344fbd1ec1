import { expect, it } from "vitest";
import { NetError } from "../../../core/errors.ts";
import type { Scene } from "../transport-suite.ts";
import { at } from "../world.ts";

export function unixSocketCases(scene: Scene): void {
  it("a Unix socket: bytes go both ways", async () => {
    const path = `unix:${scene.folder}/a.sock`;
    const { client, server, listener } = await scene.world.pair(path);
    expect(listener.address).toEqual(at(path));
    expect(client.stream.remote).toEqual(at(path));
    expect(server.stream.local).toEqual(at(path));
    expect(server.stream.remote.kind).toBe("unix");
    client.send("ping");
    server.send("pong");
    await scene.world.until("both", () => server.text === "ping" && client.text === "pong");
  });

  it("a live Unix socket is in use", async () => {
    const path = `unix:${scene.folder}/a.sock`;
    await scene.world.listen(path, []);
    const error = await scene.world.listen(path, []).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NetError);
    expect(error).toMatchObject({ code: "EADDRINUSE" });
  });

  it("closed, a Unix socket's path is free", async () => {
    const path = `unix:${scene.folder}/a.sock`;
    const first = await scene.world.listen(path, []);
    first.close();
    const client = scene.world.recorder("client");
    scene.world.connect(at(path), client);
    await scene.world.until("close", () => client.closed);
    expect(["ENOENT", "ECONNREFUSED"]).toContain(client.closes[0]?.code);
    await scene.world.listen(path, []);
  });

  it("no such Unix socket: ENOENT", async () => {
    const { world } = scene;
    const client = world.recorder("client");
    world.connect(at(`unix:${scene.folder}/none.sock`), client);
    await world.until("close", () => client.closed);
    expect(client.closes[0]).toMatchObject({ name: "NetError", code: "ENOENT" });
  });
}
