import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { millis } from "../../../src/core/time.ts";
import { answerOf, H2Client } from "../http2/client.ts";
import { drivers, eventually, startProxy } from "../support.ts";
import { bodyOf, H2Origin } from "./origin.ts";

const origin = { protocol: "http2" } as const;

/** Answers with the body that came. */
const echoing = () =>
  H2Origin.start(async (stream) => {
    const body = await bodyOf(stream);
    stream.respond({ ":status": 200, "content-length": body.length });
    stream.end(body);
  });

describe.each(drivers)("messages over HTTP/2 to the upstream (%s)", (driver) => {
  test("a request of HTTP/1.1, becomes a stream, and the answer comes back", async () => {
    await using server = await H2Origin.start((stream, head) => {
      stream.respond({ ":status": 201, "x-saw": `${head[":method"]} ${head[":path"]}` });
      stream.end(`${head[":scheme"]} ${head[":authority"]} ${head["x-mine"]} ${head["x-gone"]}`);
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await proxy.client();
    const fields = "X-Mine: 1\r\nConnection: x-gone\r\nX-Gone: 1";
    await client.send(`GET /a?b HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n\r\n`);
    const response = await client.response();
    expect([response.status, response.body.toString()]).toEqual([
      201,
      "http a.example 1 undefined",
    ]);
    expect(response.header("x-saw")).toBe("GET /a?b");
  });

  test.each([
    ["with Content-Length", true],
    ["without", false],
  ])("a body of 3 MiB %s, arrives whole both ways", async (_what, announced) => {
    await using server = await echoing();
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const body = randomBytes(3 << 20);
    const length = announced ? { "content-length": body.length } : {};
    const answer = await client.ask({ ":method": "PUT", ...length }, body);
    expect([answer.status, answer.body.equals(body)]).toEqual([200, true]);
  });

  test("a chunked request with trailers, keeps both", async () => {
    let seen = "";
    await using server = await H2Origin.start(async (stream, head) => {
      let trailer: unknown;
      stream.on("trailers", (fields) => (trailer = fields["x-sum"]));
      const body = await bodyOf(stream);
      seen = `${body} ${String(trailer)} ${head["content-length"]} ${head["transfer-encoding"]}`;
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": "2" }));
      stream.end("ok");
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await proxy.client();
    await client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    );
    await client.until((text) => text.includes("\r\n0\r\n"));
    expect(client.answer().text).toContain("2\r\nok\r\n0\r\nx-end: 2\r\n\r\n");
    expect(seen).toBe("abc 1 undefined undefined");
  });

  test("HEAD, 204 and 304, have no body and no framing of their own", async () => {
    await using server = await H2Origin.start((stream, head) => {
      const status = Number(String(head[":path"]).slice(1));
      stream.respond({ ":status": status, ...(status === 200 && { "content-length": "10" }) });
      stream.end();
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await proxy.client();
    for (const [method, status] of [
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
    ] as const) {
      await client.send(`${method} /${status} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const response = await client.response(method);
      expect([response.status, response.body.length]).toEqual([status, 0]);
    }
  });

  test("interim responses, come through before the final one", async () => {
    await using server = await H2Origin.start((stream) => {
      stream.additionalHeaders({ ":status": 103, link: "</a>" });
      stream.respond({ ":status": 200 });
      stream.end("x");
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const answer = await client.ask();
    expect([answer.interim, answer.status]).toEqual([[103], 200]);
  });

  test("Expect: 100-continue, is answered by the server's 100", async () => {
    await using server = await H2Origin.start(async (stream) => {
      stream.additionalHeaders({ ":status": 100 });
      const body = await bodyOf(stream);
      stream.respond({ ":status": 200 });
      stream.end(body);
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await proxy.client();
    await client.send(
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    );
    await client.until((text) => text.startsWith("HTTP/1.1 100"));
    await client.send("ok");
    await client.until((text) => text.endsWith("ok\r\n0\r\n\r\n"));
  });

  test("requests at once, share one connection", async () => {
    await using server = await H2Origin.start((stream, head) => {
      setTimeout(() => {
        if (stream.destroyed) return;
        stream.respond({ ":status": 200 });
        stream.end(head[":path"]);
      }, 20);
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using a = await H2Client.connect(proxy.port);
    await using b = await H2Client.connect(proxy.port);
    const asked = Array.from({ length: 60 }, (_, i) =>
      (i % 2 === 0 ? a : b).ask({ ":path": `/${i}` }),
    );
    const answers = await Promise.all(asked);
    expect(answers.map(({ body }) => body.toString())).toEqual(answers.map((_, i) => `/${i}`));
    expect(server.sessions.length).toBe(1);
    expect(proxy.recorder.requests.filter(({ reused }) => reused).length).toBeLessThan(60);
    await a.ask();
    expect(proxy.recorder.last.reused).toBe(true);
  });

  test("more requests than streams, make more connections, up to the limit, and then wait", async () => {
    const held: (() => void)[] = [];
    await using server = await H2Origin.start(
      (stream) => {
        held.push(() => {
          stream.respond({ ":status": 200 });
          stream.end();
        });
      },
      { settings: { maxConcurrentStreams: 2 } },
    );
    const limits = { connectionsPerEndpoint: 2 };
    await using proxy = await startProxy({
      driver,
      to: [server.port],
      origin: { ...origin, limits },
    });
    await using client = await H2Client.connect(proxy.port);
    // The server's limit is known from the first answer on.
    const first = client.ask();
    await eventually("asked", () => held.length === 1);
    const answers = Array.from({ length: 6 }, () => client.ask());
    await eventually("no more fit", () => held.length === 4 && proxy.origin.waiting === 3);
    expect(server.sessions.length).toBe(2);
    let answered = 0;
    for (const answer of [first, ...answers]) void answer.then(() => answered++);
    while (answered < 7) {
      held.shift()?.();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(proxy.recorder.requests.map(({ status }) => status)).toEqual(Array(7).fill(200));
  });

  test("a slow client, stops the server at the window, and gets all of it", async () => {
    const body = randomBytes((8 << 20) + 12_345);
    let sent = 0;
    await using server = await H2Origin.start((stream) => {
      stream.respond({ ":status": 200 });
      const push = (): void => {
        while (sent < body.length) {
          const piece = body.subarray(sent, sent + 65_536);
          sent += piece.length;
          if (!stream.write(piece)) return void stream.once("drain", push);
        }
        stream.end();
      };
      push();
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port, {
      settings: { initialWindowSize: 20_000 },
    });
    const stream = client.open();
    await once(stream, "response");
    let before = -1;
    await eventually("the server stands still", () => {
      const still = sent === before;
      before = sent;
      return still && sent > 0;
    });
    expect(sent).toBeLessThan(6 << 20);
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
  });

  test("a response without an end, is ended by its client's leaving, with RST_STREAM alone", async () => {
    let code = -1;
    await using server = await H2Origin.start((stream, head) => {
      if (head[":path"] === "/next") {
        stream.respond({ ":status": 200 });
        return void stream.end();
      }
      stream.on("close", () => (code = stream.rstCode));
      stream.respond({ ":status": 200 });
      stream.write("x");
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.open();
    await once(stream, "data");
    stream.close();
    await eventually("the server heard", () => code === 8);
    expect((await client.ask({ ":path": "/next" })).status).toBe(200);
    expect(server.sessions.length).toBe(1);
  });

  test("an answer before the request's end, is given, and the rest is not wanted", async () => {
    await using server = await H2Origin.start((stream) => {
      stream.respond({ ":status": 413 });
      stream.end("no");
    });
    await using proxy = await startProxy({ driver, to: [server.port], origin });
    await using client = await H2Client.connect(proxy.port);
    const stream = client.open({ ":method": "POST" }, false);
    stream.write("a");
    const answer = await answerOf(stream);
    expect([answer.status, answer.body.toString()]).toEqual([413, "no"]);
  });

  test("a peer by address, is spoken to as the program says, apart from the same in HTTP/1.1", async () => {
    await using server = await echoing();
    const spoken: (string | undefined)[] = [];
    const address = `127.0.0.1:${server.port}`;
    await using proxy = await startProxy({
      driver,
      program: {
        upstreamPeer: ({ request }) =>
          request.target === "/old" ? { address } : { address, protocol: "http2" },
        connectedToUpstream: ({ upstream }) => void spoken.push(upstream?.protocol),
      },
    });
    await using client = await H2Client.connect(proxy.port);
    expect((await client.ask({ ":path": "/new" })).status).toBe(200);
    expect((await client.ask({ ":path": "/old" })).status).toBe(502);
    expect(spoken).toEqual(["h2", "http/1.1"]);
  });

  test("an idle connection, is closed after its time", async () => {
    await using server = await echoing();
    const timeouts = { idle: millis(40) };
    const settings = { ...origin, timeouts };
    await using proxy = await startProxy({ driver, to: [server.port], origin: settings });
    await using client = await H2Client.connect(proxy.port);
    await client.ask();
    expect(proxy.origin).toMatchObject({ connections: 1, idle: 1 });
    await eventually("it is closed", () => proxy.origin.connections === 0);
  });
});
