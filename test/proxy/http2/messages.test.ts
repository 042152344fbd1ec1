import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:http2";
import { describe, expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import type { Session } from "../../../src/proxy/session-api.ts";
import { chunks, echo, ok, response, ScriptedOrigin } from "../origin.ts";
import { aWhile, drivers, eventually, startProxy } from "../support.ts";
import { answerOf, H2Client } from "./client.ts";

describe.each(drivers)("http/2 messages (%s)", (driver) => {
  test("a request, goes to an HTTP/1.1 origin as one of HTTP/1.1", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("hello", "X-From: origin"));
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      listener: { forwarding: { via: "here", xForwarded: "replace" } },
    });
    await using client = await H2Client.connect(proxy.port);
    const answer = await client.ask({ ":path": "/a?b=c", ":authority": "web.test", "x-y": "z" });
    expect(answer.status).toBe(200);
    expect(answer.headers["x-from"]).toBe("origin");
    expect(answer.body.toString()).toBe("hello");
    expect(origin.last.line).toBe("GET /a?b=c HTTP/1.1");
    expect(origin.last.raw).toContain("host: web.test\r\n");
    expect(origin.last.raw).toContain("x-y: z\r\n");
    expect(origin.last.raw).toContain("Via: 2.0 here\r\n");
    expect(origin.last.raw).toContain("X-Forwarded-Host: web.test\r\n");
    expect(proxy.recorder.last).toMatchObject({ protocol: "h2", status: 200, target: "/a?b=c" });
    expect(proxy.recorder).toMatchObject({ sessions: 1, streams: 1, http2Faults: [] });
  });

  test("fields of the connection, in a response, do not come through", async () => {
    const fields = ["Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "Set-Cookie: a=b"];
    await using origin = await ScriptedOrigin.start(() => ok("x", ...fields, "Set-Cookie: c=d"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const { headers } = await client.ask();
    expect(headers["set-cookie"]).toEqual(["a=b", "c=d"]);
    for (const name of ["connection", "x-hop", "keep-alive"]) expect(headers[name]).toBeUndefined();
  });

  test.each([
    ["without Content-Length", undefined],
    ["with Content-Length", 3 << 20],
  ])("a body of 3 MiB %s, arrives whole both ways", async (_what, length) => {
    await using origin = await ScriptedOrigin.start(({ body }) => ok(body));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const body = randomBytes(3 << 20);
    const fields = length === undefined ? {} : { "content-length": length };
    const answer = await client.ask({ ":method": "POST", ...fields }, body);
    expect(answer.body.equals(body)).toBe(true);
    expect(proxy.recorder.last).toMatchObject({ requestBytes: 3 << 20, responseBytes: 3 << 20 });
  });

  test("an announced body of no bytes, is told to the origin as that", async () => {
    await using origin = await ScriptedOrigin.start(echo);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const { status } = await client.ask({ ":method": "POST", "content-length": 0 });
    expect(status).toBe(200);
    expect(origin.last.raw).toContain("content-length: 0\r\n");
  });

  test("trailers, cross both ways", async () => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
    await using origin = await ScriptedOrigin.start(() => head + chunks(["ab"], "X-Sum: 7"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.session.request(
      { ":path": "/", ":method": "POST", trailer: "x-t" },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "1" }));
    const answer = answerOf(stream);
    stream.end("body");
    expect((await answer).trailers).toMatchObject({ "x-sum": "7" });
    expect(origin.last.trailers.toLowerCase()).toContain("x-t: 1");
  });

  test("interim responses, come before the final one", async () => {
    const early = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    await using origin = await ScriptedOrigin.start(() => early + ok("x"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    expect(await client.ask()).toMatchObject({ status: 200, interim: [103] });
  });

  test.each([
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304],
  ])("a response without a body, to %s with %i, ends with its head", async (method, status) => {
    const answer =
      status === 204
        ? "HTTP/1.1 204 None\r\n\r\n"
        : `HTTP/1.1 ${status} X\r\nContent-Length: 77\r\n\r\n`;
    await using origin = await ScriptedOrigin.start(() => answer);
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const got = await client.ask({ ":method": method });
    expect([got.status, got.body.length]).toEqual([status, 0]);
    expect(got.headers["content-length"]).toBe(status === 204 ? undefined : "77");
  });

  test("a hook's answer to a request with a body, ends the stream without an error", async () => {
    const requestFilter = (session: Session): "responded" => session.respond(403, null, "no");
    await using proxy = await startProxy({ driver, program: { requestFilter } });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.open({ ":method": "POST" }, false);
    const [head] = await once(stream, "response");
    expect(head[":status"]).toBe(403);
    stream.resume();
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });

  test("many streams at once, are answered each with its own", async () => {
    await using origin = await ScriptedOrigin.start(({ line }) => ok(line.repeat(20)));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    await once(client.session, "remoteSettings");
    const paths = Array.from({ length: 2_000 }, (_, i) => `/number/${i}`);
    for (let at = 0; at < paths.length; at += 100) {
      const batch = paths.slice(at, at + 100);
      const answers = await Promise.all(batch.map((path) => client.ask({ ":path": path })));
      const wanted = batch.map((path) => `GET ${path} HTTP/1.1`.repeat(20));
      expect(answers.map(({ body }) => body.toString())).toEqual(wanted);
    }
    expect(proxy.recorder.streams).toBe(2_000);
    expect(origin.connections.length).toBeLessThanOrEqual(100);
  });

  test("an origin that breaks off, resets the stream with INTERNAL_ERROR and no other", async () => {
    const cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
    await using origin = await ScriptedOrigin.start(({ line, socket }) => {
      if (line.includes("/whole")) return ok("whole");
      socket.end(cut);
      return undefined;
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const code = constants.NGHTTP2_INTERNAL_ERROR;
    await expect(client.ask({ ":path": "/cut" })).rejects.toThrow(`reset with code ${code}`);
    expect((await client.ask({ ":path": "/whole" })).body.toString()).toBe("whole");
  });

  test("a client that resets in the middle, ends the upstream's work and is counted", async () => {
    await using origin = await ScriptedOrigin.start(
      () => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.open();
    await once(stream, "response");
    stream.close(constants.NGHTTP2_CANCEL);
    await eventually("the request is over", () => proxy.recorder.requests.length === 1);
    expect(proxy.recorder.last).toMatchObject({ error: "ABORTED", source: "downstream" });
    expect(proxy.recorder.streamResets).toBe(1);
    await eventually("the origin is left", () => origin.connections[0]!.ended !== "open");
  });

  test("a body above the limit, is answered 413 without waiting for its end", async () => {
    await using origin = await ScriptedOrigin.start(echo);
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      listener: { limits: { body: 1_000 } },
    });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.open({ ":method": "POST" }, false);
    const answered = once(stream, "response");
    stream.write(Buffer.alloc(2_000));
    const [head] = await answered;
    expect(head[":status"]).toBe(413);
    expect(proxy.recorder.http2Faults).toEqual(["body-too-large"]);
  });

  test("a head above the limit, is answered 431", async () => {
    await using proxy = await startProxy({ driver, listener: { limits: { head: 4_000 } } });
    await using client = await H2Client.connect(proxy.port);
    expect(await client.ask({ "x-long": "x".repeat(5_000) })).toMatchObject({ status: 431 });
    expect(proxy.recorder.last).toMatchObject({ status: 431, error: "HEAD_TOO_LARGE" });
  });

  test("a body that stalls, is answered 408", async () => {
    await using origin = await ScriptedOrigin.start(echo);
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      listener: { timeouts: { body: millis(50) } },
    });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.open({ ":method": "POST" }, false);
    const answered = once(stream, "response");
    stream.write("some");
    const [head] = await answered;
    expect(head[":status"]).toBe(408);
    expect(proxy.recorder.last).toMatchObject({ error: "BODY_TIMEOUT", source: "downstream" });
  });

  test("TRACE, is refused", async () => {
    await using proxy = await startProxy({ driver });
    await using client = await H2Client.connect(proxy.port);
    expect(await client.ask({ ":method": "TRACE" })).toMatchObject({ status: 405 });
  });

  test("HTTP/1.1 on the same port, in pieces that begin like HTTP/2, is served", async () => {
    await using origin = await ScriptedOrigin.start(({ line }) => response(200, line));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (const piece of ["P", "RI", "NT / HTTP/1.1\r\nHost: h\r\n\r\n"]) {
      await client.send(piece);
      await aWhile(5);
    }
    const answer = await client.response("PRINT");
    expect(answer.body.toString()).toBe("PRINT / HTTP/1.1");
    expect(proxy.recorder.last.protocol).toBe("http/1.1");
  });

  test("a listener without HTTP/2, takes its preface for a bad request", async () => {
    await using proxy = await startProxy({ driver, listener: { http2: null } });
    await using client = await proxy.client();
    await client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    expect(await client.response("GET")).toMatchObject({ status: 505 });
  });
});
