import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { rawFrame } from "../../../src/http/websocket/testing/frames.ts";
import type { ProxyProgram } from "../../../src/proxy/program.ts";
import type { MessageVerdict } from "../../../src/proxy/websocket/message.ts";
import { RawOrigin } from "../../support/raw-origin.ts";
import {
  aWhile,
  drivers,
  eventually,
  type ProxyOptions,
  type RunningProxy,
  startProxy,
} from "../support.ts";
import { EchoOrigin } from "./origin.ts";

type Hook = NonNullable<ProxyProgram["webSocketMessage"]>;

const withHook = (hook: Hook, more: Partial<ProxyOptions> = {}) => ({
  ...more,
  program: { ...more.program, webSocketMessage: hook },
});

/** A client that keeps what it hears. */
class Client {
  readonly socket: WebSocket;
  readonly heard: string[] = [];
  code = 0;

  constructor(proxy: RunningProxy, options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/chat?x`, options);
    this.socket.on("error", () => {});
    this.socket.on("message", (data: Buffer, binary) => {
      this.heard.push(`${binary ? "binary" : "text"} ${data}`);
    });
    this.socket.on("close", (code) => (this.code = code));
  }

  static async open(proxy: RunningProxy, options?: ClientOptions): Promise<Client> {
    const client = new Client(proxy, options);
    await once(client.socket, "open");
    return client;
  }

  hears(...wanted: string[]): Promise<void> {
    return eventually(`hears ${wanted}, has ${this.heard}`, () => {
      return JSON.stringify(this.heard) === JSON.stringify(wanted);
    });
  }

  async closed(): Promise<number> {
    await eventually("closed", () => this.code !== 0);
    return this.code;
  }
}

const UPGRADE =
  "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const KEY = Buffer.from([1, 2, 3, 4]);

describe.each(drivers)("messages of websockets (%s)", (driver) => {
  test("a hook: sees whole messages of both directions with its session and context", async () => {
    const seen: string[] = [];
    const hook: Hook = (session, direction, message, ctx) => {
      const { path } = session.request;
      seen.push(
        `${direction} ${message.kind} ${message.text} ${path} ${session.upstream?.name} ${ctx}`,
      );
      return undefined;
    };
    await using origin = await EchoOrigin.start();
    const options = withHook(hook, {
      driver,
      to: [origin.port],
      program: { newContext: () => "c" },
    });
    await using proxy = await startProxy(options as ProxyOptions);
    const client = await Client.open(proxy);
    client.socket.send("gr\u00fc\u00dfe");
    client.socket.send(Buffer.from("bytes"));
    client.socket.send("");
    await client.hears("text gr\u00fc\u00dfe", "binary bytes", "text ");
    client.socket.close(3001, "done");
    expect(await client.closed()).toBe(3001);
    await eventually("the origin heard", () => origin.closes.length === 1);
    expect(origin.closes).toEqual([3001]);
    expect(seen.slice(0, 2).toSorted()).toContain(
      "from-client text gr\u00fc\u00dfe /chat origin c",
    );
    expect(seen.filter((line) => line.startsWith("from-upstream")).length).toBe(3);
    expect(seen).toContain("from-upstream binary bytes /chat origin c");
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last.error).toBe(null);
    expect(proxy.recorder.messages).toContain("from-client 7");
  });

  const verdicts: readonly [string, MessageVerdict, string[]][] = [
    ["undefined", undefined, ["text one", "text end"]],
    ["null", null, ["text end"]],
    ["a string", "two \u20ac", ["text two \u20ac", "text end"]],
    ["bytes", Buffer.from("three"), ["text three", "text end"]],
  ];
  test.each(verdicts)(
    "the verdict %s: makes of the message what it says",
    async (_n, verdict, all) => {
      const hook: Hook = (_session, direction, { text }) =>
        direction === "from-client" && text === "one" ? verdict : undefined;
      for (const later of [false, true]) {
        await using origin = await EchoOrigin.start();
        const hooked: Hook = later
          ? async (...of) => {
              await aWhile(2);
              return hook(...of);
            }
          : hook;
        await using proxy = await startProxy(
          withHook(hooked, { driver, to: [origin.port] }) as ProxyOptions,
        );
        const client = await Client.open(proxy);
        client.socket.send("one");
        client.socket.send("end");
        await client.hears(...all);
        client.socket.close();
        await client.closed();
      }
    },
  );

  test("the verdict close: closes both sides with the code", async () => {
    await using origin = await EchoOrigin.start();
    const hook: Hook = () => ({ close: 4403, reason: "not here" });
    await using proxy = await startProxy(
      withHook(hook, { driver, to: [origin.port] }) as ProxyOptions,
    );
    const client = await Client.open(proxy);
    const closed = once(client.socket, "close");
    client.socket.send("one");
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4403, "not here"]);
    await eventually("the origin heard", () => origin.closes.length === 1);
    expect([origin.closes, origin.messages]).toEqual([[4403], []]);
  });

  test.each<[string, Hook]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("no");
      },
    ],
    ["gives a text that is none", () => Buffer.from([0xff])],
    ["gives a code that is none", () => ({ close: 1005 })],
    ["rejects later with a code that is none", async () => ({ close: 999 })],
  ])("a hook that %s: closes with 1011, and is a fault", async (_name, hook) => {
    await using origin = await EchoOrigin.start();
    await using proxy = await startProxy(
      withHook(hook, { driver, to: [origin.port] }) as ProxyOptions,
    );
    proxy.recorder.expected.add("webSocketMessage");
    const client = await Client.open(proxy);
    client.socket.send("one");
    expect(await client.closed()).toBe(1011);
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last.error).toBe("HOOK_FAILED");
    expect(proxy.recorder.faults.length).toBe(1);
  });

  test("slow hooks: keep the order, and hold the sender", async () => {
    await using origin = await EchoOrigin.start();
    let running = 0;
    const hook: Hook = async (_session, direction) => {
      if (direction === "from-upstream") return undefined;
      expect(++running).toBe(1);
      await aWhile(1);
      running--;
      return undefined;
    };
    await using proxy = await startProxy(
      withHook(hook, { driver, to: [origin.port] }) as ProxyOptions,
    );
    const client = await Client.open(proxy);
    const sent = Array.from({ length: 50 }, (_, i) => `m${i}`);
    for (const text of sent) client.socket.send(text);
    await client.hears(...sent.map((text) => `text ${text}`));
    client.socket.close();
    await client.closed();
  });

  test.each([
    ["both", true, true],
    ["the client", true, false],
    ["the origin", false, true],
    ["neither", false, false],
  ])(
    "permessage-deflate with %s: is agreed on apart, and messages come through",
    async (_n, a, b) => {
      await using origin = await EchoOrigin.start({
        perMessageDeflate: b ? { threshold: 0 } : false,
      });
      const seen: string[] = [];
      const hook: Hook = (_session, direction, message) => {
        seen.push(`${direction} ${message.bytes.length}`);
        return message.text.startsWith("change") ? `${message.text}!` : undefined;
      };
      await using proxy = await startProxy(
        withHook(hook, { driver, to: [origin.port] }) as ProxyOptions,
      );
      const client = await Client.open(proxy, {
        perMessageDeflate: a ? { threshold: 0 } : false,
      });
      expect(client.socket.extensions).toBe(a ? "permessage-deflate" : "");
      const long = "abc".repeat(3000);
      const change = `change${"x".repeat(100)}`;
      for (const text of [long, "hi", change]) client.socket.send(text);
      await client.hears(`text ${long}`, "text hi", `text ${change}!!`);
      expect(origin.sockets[0]!.extensions).toBe(a && b ? "permessage-deflate" : "");
      expect(seen.length).toBe(6);
      const { requestBytes } = proxy.recorder.requests[0] ?? { requestBytes: 0 };
      expect(requestBytes).toBe(0);
      client.socket.close();
      await client.closed();
      await eventually("it is over", () => proxy.recorder.requests.length === 1);
      if (a) expect(proxy.recorder.last.requestBytes).toBeLessThan(1000);
      else expect(proxy.recorder.last.requestBytes).toBeGreaterThan(9000);
    },
  );

  test("messages of 1 MiB, the limit: come through; one octet more is 1009", async () => {
    await using origin = await EchoOrigin.start();
    await using proxy = await startProxy(
      withHook(() => undefined, { driver, to: [origin.port] }) as ProxyOptions,
    );
    for (const perMessageDeflate of [false, true]) {
      const client = await Client.open(proxy, {
        perMessageDeflate: perMessageDeflate ? { threshold: 0 } : false,
      });
      const big = randomBytes(1 << 20);
      const echoed = once(client.socket, "message");
      client.socket.send(big);
      expect(((await echoed)[0] as Buffer).equals(big)).toBe(true);
      client.socket.send(Buffer.alloc((1 << 20) + 1));
      expect(await client.closed()).toBe(1009);
    }
    await eventually("both are over", () => proxy.recorder.requests.length === 2);
    expect(proxy.recorder.last).toMatchObject({ error: "MALFORMED_MESSAGE", source: "downstream" });
    expect(origin.closes).toEqual([1001, 1001]);
  });

  test("fragments with pings between: one message, and pings go on their way", async () => {
    await using origin = await EchoOrigin.start();
    const seen: string[] = [];
    const hook: Hook = (_session, direction, message) =>
      void seen.push(`${direction} ${message.text}`);
    await using proxy = await startProxy(
      withHook(hook, { driver, to: [origin.port] }) as ProxyOptions,
    );
    await using client = await proxy.client();
    await client.send(`${UPGRADE}\r\n`);
    await client.until((text) => text.includes("\r\n\r\n"));
    const masked = (opcode: number, text: string, fin: boolean): Buffer =>
      rawFrame({ opcode, payload: Buffer.from(text), fin, key: KEY });
    const bytes = [masked(1, "he", false), masked(9, "p", true), masked(0, "llo", true)];
    for (const octet of Buffer.concat(bytes)) await client.send(Buffer.from([octet]));
    const hello = rawFrame({ opcode: 1, payload: Buffer.from("hello") }).toString("latin1");
    await client.until((text) => text.endsWith(hello));
    expect(client.answer().text).toContain(
      rawFrame({ opcode: 10, payload: Buffer.from("p") }).toString("latin1"),
    );
    expect(seen).toEqual(["from-client hello", "from-upstream hello"]);
    client.reset();
  });

  test.each<[string, Buffer, number]>([
    ["an unmasked frame", rawFrame({ opcode: 1, payload: Buffer.from("x") }), 1002],
    ["bad UTF-8", rawFrame({ opcode: 1, payload: Buffer.from([0xff]), key: KEY }), 1007],
    ["a reserved bit", rawFrame({ opcode: 1, reserved: 4, key: KEY }), 1002],
    ["a length that lies", rawFrame({ opcode: 2, length: 2 ** 40, key: KEY }), 1009],
  ])(
    "a client that sends %s, and does not stop: is told, and both sides end",
    async (_n, bytes, code) => {
      await using origin = await EchoOrigin.start();
      await using proxy = await startProxy(
        withHook(() => undefined, { driver, to: [origin.port] }) as ProxyOptions,
      );
      await using client = await proxy.client();
      await client.send(`${UPGRADE}\r\n`);
      await client.until((text) => text.includes("\r\n\r\n"));
      await client.send(bytes);
      await client.send(Buffer.alloc(200_000));
      expect(await client.untilEnd()).toBe("closed");
      const { text } = client.answer();
      const frame = Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1");
      expect([frame[0], frame.readUInt16BE(2)]).toEqual([0x88, code]);
      client.halfClose();
      await eventually("it is over", () => proxy.recorder.requests.length === 1);
      expect(origin.closes).toEqual([1001]);
      expect(origin.messages).toEqual([]);
    },
  );

  test("an origin that breaks the rules: 1011 for the client", async () => {
    await using origin = await RawOrigin.start((c, chunk) => {
      if (!chunk.toString().startsWith("GET ")) return;
      c.socket.write(
        "HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" +
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
      );
      c.socket.write(rawFrame({ opcode: 1, key: KEY }));
      c.socket.on("end", () => c.socket.end());
    });
    await using proxy = await startProxy(
      withHook(() => undefined, { driver, to: [origin.port] }) as ProxyOptions,
    );
    await using client = await proxy.client();
    await client.send(`${UPGRADE}\r\n`);
    const close = rawFrame({ opcode: 8, payload: Buffer.from([3, 243]) }).toString("latin1");
    await client.until((text) => text.endsWith(close));
    await client.send(rawFrame({ opcode: 8, payload: Buffer.from([3, 243]), key: KEY }));
    expect(await client.untilEnd()).toBe("closed");
    await eventually("it is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last).toMatchObject({ error: "MALFORMED_MESSAGE", source: "upstream" });
  });

  test.each([
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
    "x-unheard-of",
  ])("an origin that agrees to %s, which was not offered: is a bad gateway", async (extension) => {
    await using origin = await RawOrigin.start((c) => {
      c.socket.write(
        `HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: ${extension}\r\n\r\n`,
      );
    });
    await using proxy = await startProxy(
      withHook(() => undefined, { driver, to: [origin.port] }) as ProxyOptions,
    );
    await using client = await proxy.client();
    await client.send(`${UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`);
    expect((await client.response()).status).toBe(502);
  });

  test("a client that takes nothing: stops the origin, however well its messages inflate", async () => {
    let sent = 0;
    await using origin = await EchoOrigin.start({ perMessageDeflate: { threshold: 0 } });
    await using proxy = await startProxy(
      withHook((_s, _d, { bytes }) => (bytes.length > 9 ? Buffer.from(bytes) : undefined), {
        driver,
        to: [origin.port],
      }) as ProxyOptions,
    );
    await using client = await proxy.client();
    await client.send(`${UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`);
    await client.until((text) => text.includes("\r\n\r\n"));
    client.pause();
    const socket = origin.sockets[0]!;
    const big = Buffer.alloc(256 * 1024).fill(randomBytes(64 * 1024));
    let blocked = false;
    for (let i = 0; i < 400 && !blocked; i++) {
      const done = new Promise<void>((resolve) => socket.send(big, () => resolve()));
      blocked = await Promise.race([done.then(() => false), aWhile(500).then(() => true)]);
      if (!blocked) sent += big.length;
    }
    expect(blocked).toBe(true);
    expect(proxy.recorder.messages.length).toBeLessThan(sent / big.length + 2);
    client.reset();
  });

  test("draining: 1001 at once, between messages of a busy hook, too", async () => {
    await using origin = await EchoOrigin.start();
    let release = (): void => {};
    const hook: Hook = () =>
      new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
    await using proxy = await startProxy(
      withHook(hook, { driver, to: [origin.port] }) as ProxyOptions,
    );
    const client = await Client.open(proxy);
    client.socket.send("one");
    await eventually("the hook is asked", () => proxy.recorder.messages.length === 1);
    const drained = proxy.server.drain(20_000_000 as never);
    await eventually("the client heard", () => client.socket.readyState !== WebSocket.OPEN);
    release();
    await drained;
    expect([await client.closed(), origin.closes, origin.messages]).toEqual([1001, [1001], []]);
  });
});
