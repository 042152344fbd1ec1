import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { millis, seconds } from "../../../src/core/time.ts";
import { rawFrame } from "../../../src/http/websocket/testing/frames.ts";
import type { ProxyProgram } from "../../../src/proxy/program.ts";
import { H2Client } from "../http2/client.ts";
import { ScriptedOrigin } from "../origin.ts";
import {
  drivers,
  eventually,
  type ProxyOptions,
  type RunningProxy,
  startProxy,
} from "../support.ts";
import { EchoOrigin } from "./origin.ts";
import { H2EchoOrigin, openStream, openWebSocket } from "./over-streams.ts";

type Version = "http/1.1" | "h2";
const versions: readonly Version[] = ["http/1.1", "h2"];
const hook: NonNullable<ProxyProgram["webSocketMessage"]> = async (
  _session,
  _direction,
  { text },
) => (text === "drop" ? null : undefined);

/** client, upstream, whether a hook sees the messages, permessage-deflate. */
const cases = versions.flatMap((client) =>
  versions.flatMap((upstream) =>
    [false, true].flatMap((hooked) =>
      [false, true].map((deflate) => [client, upstream, hooked, deflate] as const),
    ),
  ),
);

interface Opened extends AsyncDisposable {
  readonly socket: WebSocket;
  readonly extensions: string;
}

async function open(proxy: RunningProxy, version: Version, deflate: boolean): Promise<Opened> {
  if (version === "http/1.1") {
    const perMessageDeflate = deflate && {
      threshold: 0,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    };
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat?x`, { perMessageDeflate });
    await once(socket, "open");
    const done = async (): Promise<void> => socket.terminate();
    return { socket, extensions: socket.extensions, [Symbol.asyncDispose]: done };
  }
  const client = await H2Client.connect(proxy.port);
  await once(client.session, "remoteSettings");
  const { socket, head } = await openWebSocket(client, deflate);
  expect(head[":status"]).toBe(200);
  expect(head["sec-websocket-accept"]).toBeUndefined();
  const extensions = String(head["sec-websocket-extensions"] ?? "").split(";")[0]!;
  return { socket, extensions, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

const start = (upstream: Version, deflate: boolean): Promise<EchoOrigin | H2EchoOrigin> =>
  upstream === "h2"
    ? H2EchoOrigin.start(deflate)
    : EchoOrigin.start({ perMessageDeflate: deflate && { threshold: 0 } });

const options = (driver: "epoll" | "node", port: number, upstream: Version, hooked: boolean) =>
  ({
    driver,
    to: [port],
    origin: { protocol: upstream === "h2" ? "http2" : "http1" },
    ...(hooked && { program: { webSocketMessage: hook } }),
  }) satisfies ProxyOptions;

describe.each(drivers)("websockets over versions of HTTP (%s)", (driver) => {
  test.each(cases)(
    "%s to %s (hook %s, deflate %s): messages cross, and it closes",
    async (client, upstream, hooked, deflate) => {
      await using origin = await start(upstream, deflate);
      await using proxy = await startProxy(options(driver, origin.port, upstream, hooked));
      await using opened = await open(proxy, client, deflate);
      const { socket } = opened;
      expect(opened.extensions).toBe(deflate ? "permessage-deflate" : "");
      const big = randomBytes(700_000);
      for (const message of ["small", big, Buffer.alloc(0), "x".repeat(70_000)]) {
        socket.send(message);
        const [data] = (await once(socket, "message")) as [Buffer];
        expect(hash(data)).toBe(hash(message));
      }
      socket.send("drop");
      socket.send("end");
      const [data] = (await once(socket, "message")) as [Buffer];
      expect(data.toString()).toBe(hooked ? "end" : "drop");
      const closed = once(socket, "close");
      socket.close(3002, "done");
      const [code] = await closed;
      expect(code).toBe(3002);
      await eventually("the origin heard", () => origin.closes.length === 1);
      expect(origin.closes).toEqual([3002]);
      await eventually("it is over", () => proxy.recorder.requests.length === 1);
      expect(proxy.recorder.last).toMatchObject({ status: 101, error: null, target: "/chat?x" });
      expect(proxy.recorder.tunnels.websocket).toBe(0);
    },
  );

  test.each(cases.filter(([, , , deflate]) => !deflate))(
    "%s to %s (hook %s), draining: 1001 to both sides, and the drain ends soon",
    async (client, upstream, hooked) => {
      await using origin = await start(upstream, false);
      await using proxy = await startProxy(options(driver, origin.port, upstream, hooked));
      await using opened = await open(proxy, client, false);
      const closed = once(opened.socket, "close");
      const begun = performance.now();
      await proxy.server.drain(seconds(20));
      expect(performance.now() - begun).toBeLessThan(4000);
      const [code] = await closed;
      expect(code).toBe(1001);
      await eventually("the origin heard", () => origin.closes.length === 1);
      expect(origin.closes).toEqual([1001]);
      expect(proxy.recorder.last.error).toBe(null);
    },
  );

  test("from h2, a client that never ends its stream: is rid of it all the same", async () => {
    await using origin = await EchoOrigin.start();
    const listener = { timeouts: { tunnel: millis(50) } };
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { stream } = await openStream(client, false);
    const [goodbye] = (await once(stream, "data")) as [Buffer];
    expect([goodbye[0], goodbye.readUInt16BE(2)]).toEqual([0x88, 1001]);
    const ended = once(stream, "end");
    const key = Buffer.from([1, 2, 3, 4]);
    stream.write(rawFrame({ opcode: 8, payload: Buffer.from([3, 233]), key }));
    await ended;
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    await eventually("the stream is closed", () => stream.closed);
    expect(stream.rstCode).toBe(0);
  });

  test("from h2, an origin that answers another key: is a bad gateway", async () => {
    await using origin = await ScriptedOrigin.start(
      () =>
        "HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const { head, socket } = await openWebSocket(client, false);
    expect(head[":status"]).toBe(502);
    socket.terminate();
  });
});

const hash = (data: Buffer | string): string => createHash("sha256").update(data).digest("hex");
