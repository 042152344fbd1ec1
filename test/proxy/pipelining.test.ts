import { describe, expect, test } from "vitest";
import { ok, ScriptedOrigin } from "./origin.ts";
import { aWhile, drivers, eventually, startProxy } from "./support.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const pathOf = ({ line }: { line: string }): string => line.split(" ")[1]!;

describe.each(drivers)("pipelining (%s)", (driver) => {
  test("fifty requests in one segment, are answered in order over one upstream connection", async () => {
    await using origin = await ScriptedOrigin.start((r) => ok(pathOf(r) + r.body));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    const messages = Array.from({ length: 50 }, (_, i) =>
      i % 3 === 2 ? post(`/${i}`, "b") : get(`/${i}`),
    );
    await client.send(messages.join(""));
    for (let i = 0; i < 50; i++) {
      expect((await client.response()).body.toString()).toBe(`/${i}${i % 3 === 2 ? "b" : ""}`);
    }
    expect(origin.connections.length).toBe(1);
    expect(client.bytes.length).toBe(0);
  });

  test("requests byte by byte, are answered in order", async () => {
    await using origin = await ScriptedOrigin.start((r) => ok(pathOf(r) + r.body));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (const byte of get("/1") + post("/2", "xyz") + get("/3")) await client.send(byte);
    for (const body of ["/1", "/2xyz", "/3"]) {
      expect((await client.response()).body.toString()).toBe(body);
    }
  });

  test("requests answered here and by the upstream in turns, are answered in order", async () => {
    await using origin = await ScriptedOrigin.start((r) => ok(pathOf(r)));
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        async earlyRequestFilter(session) {
          if (session.request.path.startsWith("/later")) await aWhile(1);
        },
        requestFilter(session) {
          if (session.request.path.includes("local"))
            return session.respond(200, null, session.request.path);
          return "continue";
        },
      },
    });
    await using client = await proxy.client();
    const paths = ["/local1", "/up1", "/later-local2", "/later-up2", "/local3", "/local4", "/up3"];
    await client.send(paths.map(get).join(""));
    for (const path of paths) expect((await client.response()).body.toString()).toBe(path);
    expect(origin.requests.map(pathOf)).toEqual(["/up1", "/later-up2", "/up3"]);
  });

  test("a slow first answer, holds the second request back and its answer behind", async () => {
    await using origin = await ScriptedOrigin.start((r) =>
      pathOf(r) === "/2" ? ok("two") : undefined,
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(get("/1") + get("/2"));
    await eventually("the first is at the origin", () => origin.requests.length === 1);
    await aWhile();
    expect(origin.requests.length).toBe(1);
    origin.last.socket.write(ok("one"));
    expect((await client.response()).body.toString()).toBe("one");
    expect((await client.response()).body.toString()).toBe("two");
  });

  test("a malformed request behind good ones, is refused after their answers", async () => {
    await using origin = await ScriptedOrigin.start((r) => ok(pathOf(r)));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(`${get("/1")}${get("/2")}BAD\r\n\r\n${get("/3")}`);
    expect((await client.response()).body.toString()).toBe("/1");
    expect((await client.response()).body.toString()).toBe("/2");
    const refused = await client.response();
    expect(refused.status).toBe(400);
    expect(refused.header("connection")).toBe("close");
    await client.untilEnd();
    expect(origin.requests.length).toBe(2);
  });

  test("requests and a half-close, where half-closed clients are served: all are answered", async () => {
    await using origin = await ScriptedOrigin.start((r) => ok(pathOf(r)));
    const listener = { halfClose: "serve" } as const;
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await proxy.client();
    await client.send(get("/1") + get("/2") + get("/3"));
    client.halfClose();
    for (const path of ["/1", "/2", "/3"]) {
      expect((await client.response()).body.toString()).toBe(path);
    }
    expect(await client.untilEnd()).toBe("closed");
  });

  test("a late hook answers a request, the next is not touched by what the first still had to do", async () => {
    await using origin = await ScriptedOrigin.start((r) => {
      if (pathOf(r) !== "/warm") return ok(r.body);
      setTimeout(() => r.socket.write(ok()), 30);
      return undefined;
    });
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        requestBodyFilter: async (session, piece, end) => {
          if (session.request.path === "/next" && piece !== null) await aWhile(20);
          if (session.request.path === "/first" && end) session.respond(200, null, "early");
          return undefined;
        },
      },
    });
    await using client = await proxy.client();
    await using other = await proxy.client();
    // Two kept connections: one for each request, so that the second starts at once.
    await Promise.all([client.send(get("/warm")), other.send(get("/warm"))]);
    await Promise.all([client.response(), other.response()]);
    await eventually("both are idle", () => proxy.origin.idle === 2);
    await client.send(post("/first", "ab") + post("/next", "cd"));
    expect((await client.response()).body.toString()).toBe("early");
    expect((await client.response()).body.toString()).toBe("cd");
  });

  test("a client that sends for ever and never reads, is not answered for ever", async () => {
    await using origin = await ScriptedOrigin.start(() => ok());
    let answered = 0;
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        requestFilter: (session) => session.respond(200, null, "x".repeat(20_000)),
        logging: () => void answered++,
      },
    });
    await using client = await proxy.client();
    client.pause();
    const batch = get(`/${"p".repeat(4_000)}`).repeat(20);
    let sent = 0;
    let stop = false;
    const sending = (async () => {
      for (; sent < 5_000 && !stop; sent++) await client.send(batch);
    })();
    // What the kernel's buffers on the way take is taken; then both directions stand still.
    let before = -1;
    await eventually("both directions stand still", () => {
      const still = answered === before && answered > 0;
      before = answered;
      return still;
    });
    await aWhile(100);
    const standing = answered;
    await aWhile(100);
    expect(answered).toBe(standing);
    expect(sent).toBeLessThan(5_000);
    stop = true;
    client.resume();
    await sending;
    await eventually("all is answered once the client reads", () => answered === sent * 20);
    client.halfClose();
    expect(await client.untilEnd()).toBe("closed");
  });
});
