import { describe, expect, test } from "vitest";
import { chunks, echo, ok, response, ScriptedOrigin } from "./origin.ts";
import { drivers, startProxy } from "./support.ts";

describe.each(drivers)("messages (%s)", (driver) => {
  test("get, answered with a length, goes both ways and the connection stays", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello", "X-Origin: Yes"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (const path of ["/a?b=c", "/second"]) {
      await client.send(`GET ${path} HTTP/1.1\r\nHost: h\r\nX-CaSe: Kept\r\n\r\n`);
      const answer = await client.response();
      expect(answer.statusLine).toBe("HTTP/1.1 200 Given");
      expect(answer.headers).toEqual([
        ["X-Origin", "Yes"],
        ["Content-Length", "5"],
      ]);
      expect(answer.body.toString()).toBe("hello");
      expect(origin.last.raw).toBe(`GET ${path} HTTP/1.1\r\nHost: h\r\nX-CaSe: Kept\r\n\r\n`);
    }
    expect(origin.connections.length).toBe(1);
    expect(client.end).toBe("open");
    expect(proxy.recorder.requests.map(({ reused }) => reused)).toEqual([false, true]);
  });

  test("head, answered with the length of a body, has none and the connection stays", async () => {
    await using origin = await ScriptedOrigin.start(
      () => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
      const answer = await client.response("HEAD");
      expect(answer.header("content-length")).toBe("99");
      expect(client.bytes.length).toBe(0);
    }
    expect(origin.connections.length).toBe(1);
  });

  test.each([
    ["204", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["204 with a forbidden length", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"],
    ["304 with a length", "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n"],
  ])("a bodiless answer, %s, ends with its head and the connection stays", async (_name, bytes) => {
    await using origin = await ScriptedOrigin.start(() => bytes);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      const answer = await client.response();
      expect(answer.status).toBe(Number(bytes.slice(9, 12)));
      expect(answer.header("transfer-encoding")).toBe(null);
      if (answer.status === 204) expect(answer.header("content-length")).toBe(null);
    }
    expect(origin.connections.length).toBe(1);
  });

  test.each([
    ["with a length", "Content-Length: 4\r\n\r\nbody", "body", "Content-Length: 4"],
    ["with length 0", "Content-Length: 0\r\n\r\n", "", "Content-Length: 0"],
    [
      "chunked",
      `Transfer-Encoding: chunked\r\n\r\n${chunks(["bo", "dy"])}`,
      "body",
      "Transfer-Encoding: chunked",
    ],
    [
      "chunked and empty",
      `Transfer-Encoding: chunked\r\n\r\n${chunks([])}`,
      "",
      "Transfer-Encoding: chunked",
    ],
  ])("post, body %s, arrives and both connections are reused", async (_name, rest, body, field) => {
    await using origin = await ScriptedOrigin.start(() => ok("done"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 3; i++) {
      await client.send(`POST /p HTTP/1.1\r\nHost: h\r\n${rest}`);
      expect((await client.response()).body.toString()).toBe("done");
      expect(origin.last.body).toBe(body);
      expect(origin.last.raw).toContain(`\r\n${field}\r\n`);
    }
    expect(origin.connections.length).toBe(1);
    expect(proxy.recorder.last.requestBytes).toBe(body.length);
    expect(proxy.recorder.last.responseBytes).toBe(4);
  });

  test("post in a single segment of every split, arrives the same", async () => {
    await using origin = await ScriptedOrigin.start((request) => ok(request.body));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    const message = `POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["bo", "dy"], "X-T: 1")}`;
    for (const byte of message) await client.send(byte);
    expect((await client.response()).body.toString()).toBe("body");
    expect(origin.last.trailers).toBe("X-T: 1");
  });

  test("a chunked answer with trailers, arrives with them", async () => {
    const body = chunks(["he", "llo"], "X-Sum: 5", "X-More: 6");
    await using origin = await ScriptedOrigin.start(
      () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${body}`,
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      const answer = await client.response();
      expect(answer.body.toString()).toBe("hello");
      expect(answer.trailers).toEqual([
        ["X-Sum", "5"],
        ["X-More", "6"],
      ]);
      expect(answer.header("trailer")).toBe("X-Sum");
    }
    expect(origin.connections.length).toBe(1);
  });

  test("an answer that ends with its connection, becomes chunked", async () => {
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.end("HTTP/1.1 200 OK\r\n\r\nuntil the end");
      return undefined;
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      const answer = await client.response();
      expect(answer.header("transfer-encoding")).toBe("chunked");
      expect(answer.body.toString()).toBe("until the end");
    }
    expect(origin.connections.length).toBe(2);
  });

  test("http/1.0 answer, passes as http/1.1 and its connection is not reused", async () => {
    await using origin = await ScriptedOrigin.start(
      () => "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      expect((await client.response()).statusLine).toBe("HTTP/1.1 200 OK");
    }
    expect(origin.connections.length).toBe(2);
  });

  test("http/1.0 client without keep-alive, is answered and closed", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n");
    const answer = await client.response();
    expect(answer.header("connection")).toBe("close");
    expect(answer.body.toString()).toBe("hello");
    expect(await client.untilEnd()).toBe("closed");
    expect(origin.last.line).toBe("GET / HTTP/1.1");
  });

  test("http/1.0 client with keep-alive, is told so and stays", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
      const answer = await client.response();
      expect(answer.header("connection")).toBe("keep-alive");
      expect(origin.last.header("connection")).toBe(null);
    }
    expect(client.end).toBe("open");
  });

  test("http/1.0 client with keep-alive, chunked answer, gets it until the close", async () => {
    await using origin = await ScriptedOrigin.start(
      () =>
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["hel", "lo"], "X-T: 1")}`,
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
    const answer = await client.response();
    expect(answer.header("transfer-encoding")).toBe(null);
    expect(answer.header("connection")).toBe("close");
    expect(answer.body.toString()).toBe("hello");
  });

  test("http/1.0 client without a host, reaches the origin with one", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.0\r\n\r\n");
    expect((await client.response()).status).toBe(200);
    expect(origin.last.all("host")).toEqual([`127.0.0.1:${origin.port}`]);
  });

  test("connection: close, is answered in kind and closed", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    expect((await client.response()).header("connection")).toBe("close");
    expect(await client.untilEnd()).toBe("closed");
    expect(origin.last.header("connection")).toBe(null);
    expect(proxy.origin.idle).toBe(1);
  });

  test("origin's connection: close, ends its connection and not the client's", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello", "Connection: close"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      expect((await client.response()).header("connection")).toBe(null);
    }
    expect(origin.connections.length).toBe(2);
    expect(client.end).toBe("open");
  });

  test("the last request that a connection may carry, is answered with a close", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello"));
    const listener = { limits: { requestsPerConnection: 2 } };
    await using proxy = await startProxy({ driver, to: [origin.port], listener });
    await using client = await proxy.client();
    await client.send(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\n\r\n",
    );
    expect((await client.response()).header("connection")).toBe(null);
    expect((await client.response()).header("connection")).toBe("close");
    await client.untilEnd();
    expect(origin.requests.map(({ line }) => line)).toEqual(["GET /1 HTTP/1.1", "GET /2 HTTP/1.1"]);
  });

  test("absolute-form, becomes origin-form with the target's host", async () => {
    await using origin = await ScriptedOrigin.start(echo);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET http://real.example:81/p?q HTTP/1.1\r\nHost: other\r\n\r\n");
    await client.response();
    expect(origin.last.line).toBe("GET /p?q HTTP/1.1");
    expect(origin.last.all("host")).toEqual(["real.example:81"]);
    expect(proxy.recorder.last.host).toBe("real.example:81");
  });

  test("empty lines around requests, are passed over and count as no request", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi\r\n");
    expect((await client.response()).status).toBe(200);
    await client.send("\r\n");
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n\r\n");
    expect((await client.response()).status).toBe(200);
    client.halfClose();
    await client.untilEnd();
    expect(proxy.recorder.requests.map(({ error }) => error)).toEqual([null, null]);
  });

  test("a head just under the limits, passes whole", async () => {
    await using origin = await ScriptedOrigin.start((r) =>
      ok(String(r.raw.length), `X-Big: ${"r".repeat(60_000)}`),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    const fields = Array.from({ length: 90 }, (_, i) => `X-${i}: ${"v".repeat(300)}\r\n`).join("");
    const request = `GET /${"t".repeat(8_000)} HTTP/1.1\r\nHost: h\r\n${fields.slice(0, 24_000 - 4)}\r\n\r\n`;
    for (let i = 0; i < 2; i++) {
      await client.send(request);
      const answer = await client.response();
      expect(answer.body.toString()).toBe(String(request.length));
      expect(answer.header("x-big")?.length).toBe(60_000);
      expect(origin.last.raw).toBe(request);
    }
  });

  test("final answers of any status, pass with their reason", async () => {
    await using origin = await ScriptedOrigin.start((r) =>
      response(Number(r.line.split(/[ /]/)[2]), "x"),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (const status of [200, 299, 301, 404, 500, 599]) {
      await client.send(`GET /${status} HTTP/1.1\r\nHost: h\r\n\r\n`);
      expect((await client.response()).statusLine).toBe(`HTTP/1.1 ${status} Given`);
    }
  });
});
