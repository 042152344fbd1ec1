import { describe, expect, test } from "vitest";
import type { MaybePromise, ProxyProgram } from "../../src/proxy/program.ts";
import type { Session } from "../../src/proxy/session-api.ts";
import { chunks, echo, ok, ScriptedOrigin } from "./origin.ts";
import { drivers, eventually, startProxy } from "./support.ts";

const GET = "GET /p HTTP/1.1\r\nHost: h\r\n\r\n";
const POST = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
const withTrailers = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(["answer"], "X-T: 1")}`;

/** Every phase that a good request meets, in order. */
const phases = [
  "earlyRequestFilter",
  "requestFilter",
  "upstreamPeer",
  "connectedToUpstream",
  "upstreamRequestFilter",
  "requestBodyFilter",
  "upstreamResponseFilter",
  "responseFilter",
  "upstreamResponseBodyFilter",
  "responseBodyFilter",
  "responseTrailerFilter",
] as const;
type Phase = (typeof phases)[number];

interface Ctx {
  seen: string[];
}

/** A program with every hook, in which `act` runs in each phase, with or without a promise. */
function everyPhase(
  style: "sync" | "async",
  act: (phase: string, session: Session, ctx: Ctx) => void,
): ProxyProgram<Ctx> {
  const at = <T>(phase: string, session: Session, ctx: Ctx, value: T): MaybePromise<T> => {
    if (style === "sync") {
      act(phase, session, ctx);
      return value;
    }
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          act(phase, session, ctx);
          resolve(value);
        } catch (error) {
          reject(error);
        }
      });
    });
  };
  return {
    newContext: () => ({ seen: [] }),
    earlyRequestFilter: (s, c) => at("earlyRequestFilter", s, c, "continue" as const),
    requestFilter: (s, c) => at("requestFilter", s, c, "continue" as const),
    upstreamPeer: (s, c) => at("upstreamPeer", s, c, "origin"),
    connectedToUpstream: (s, c) => at("connectedToUpstream", s, c, undefined),
    upstreamRequestFilter: (s, c) => at("upstreamRequestFilter", s, c, "continue" as const),
    requestBodyFilter: (s, _piece, _end, c) => at("requestBodyFilter", s, c, undefined),
    upstreamResponseFilter: (s, c) => at("upstreamResponseFilter", s, c, undefined),
    responseFilter: (s, c) => at("responseFilter", s, c, "continue" as const),
    upstreamResponseBodyFilter: (s, _piece, _end, c) => act("upstreamResponseBodyFilter", s, c),
    responseBodyFilter: (s, _piece, _end, c) => at("responseBodyFilter", s, c, undefined),
    responseTrailerFilter: (s, c) => at("responseTrailerFilter", s, c, undefined),
    logging: (s, c) => act("logging", s, c),
  };
}

describe.each(drivers)("hooks (%s)", (driver) => {
  describe.each(["sync", "async"] as const)("%s", (style) => {
    test("a good request, meets every phase in order with one context", async () => {
      await using origin = await ScriptedOrigin.start(() => withTrailers);
      const logs: string[][] = [];
      const program = everyPhase(style, (phase, _session, ctx) => {
        if (ctx.seen.at(-1) !== phase) ctx.seen.push(phase);
        if (phase === "logging") logs.push(ctx.seen);
      });
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      await using client = await proxy.client();
      for (let i = 0; i < 3; i++) {
        await client.send(POST);
        const answer = await client.response();
        expect(answer.body.toString()).toBe("answer");
        expect(answer.trailers).toEqual([["X-T", "1"]]);
        expect(origin.last.body).toBe("body");
      }
      const once = [...phases.slice(0, 8), "upstreamResponseBodyFilter", "responseBodyFilter"];
      const twice = [
        "upstreamResponseBodyFilter",
        "responseBodyFilter",
        "responseTrailerFilter",
        "logging",
      ];
      expect(logs).toEqual([0, 1, 2].map(() => [...once, ...twice]));
      expect(origin.connections.length).toBe(1);
    });

    const before: readonly Phase[] = phases.slice(0, 8);
    test.each(before)("%s fails, answers 500 for its request alone", async (failing) => {
      await using origin = await ScriptedOrigin.start(() => withTrailers);
      let fail = true;
      const program = everyPhase(style, (phase) => {
        if (phase === failing && fail) throw new Error("the hook's own");
      });
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      proxy.recorder.expected.add(failing);
      await using client = await proxy.client();
      await using other = await proxy.client();
      await client.send(POST);
      const answer = await client.response();
      expect(answer.status).toBe(500);
      expect(answer.body.toString()).not.toContain("own");
      expect(proxy.recorder.faults.length).toBe(1);
      expect(proxy.recorder.faults[0]!.message).toContain("the hook's own");
      expect(proxy.recorder.last.error).toBe("HOOK_FAILED");
      fail = false;
      await other.send(POST);
      expect((await other.response()).status).toBe(200);
    });

    test.each(before.filter((phase) => phase !== "requestBodyFilter"))(
      "%s fails for a request without a body, the next on the connection is served",
      async (failing) => {
        await using origin = await ScriptedOrigin.start(() => withTrailers);
        let fail = true;
        const program = everyPhase(style, (phase) => {
          if (phase === failing && fail) throw new Error("the hook's own");
        });
        await using proxy = await startProxy({ driver, to: [origin.port], program });
        proxy.recorder.expected.add(failing);
        await using client = await proxy.client();
        await client.send(GET);
        expect((await client.response()).status).toBe(500);
        fail = false;
        await client.send(GET);
        expect((await client.response()).status).toBe(200);
      },
    );

    test.each(["responseBodyFilter", "upstreamResponseBodyFilter", "responseTrailerFilter"])(
      "%s fails after the response began, the client sees it broken",
      async (failing) => {
        await using origin = await ScriptedOrigin.start(() => withTrailers);
        const program = everyPhase(style, (phase) => {
          if (phase === failing) throw new Error("the hook's own");
        });
        await using proxy = await startProxy({ driver, to: [origin.port], program });
        for (const where of phases) proxy.recorder.expected.add(where);
        await using client = await proxy.client();
        await client.send(GET);
        await client.untilEnd();
        expect(client.answer().text).not.toContain("0\r\n\r\n");
        expect(client.answer().text).not.toContain("X-T");
        expect(proxy.recorder.last.error).toBe("HOOK_FAILED");
      },
    );

    test.each([
      "earlyRequestFilter",
      "requestFilter",
      "upstreamPeer",
      "connectedToUpstream",
      "upstreamRequestFilter",
      "upstreamResponseFilter",
      "responseFilter",
    ])("%s responds, the client gets that answer and the connection stays", async (responding) => {
      await using origin = await ScriptedOrigin.start(() => withTrailers);
      const program = everyPhase(style, (phase, session) => {
        if (phase === responding) session.respond(403, { "X-Own": "y" }, "mine");
      });
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      await using client = await proxy.client();
      for (let i = 0; i < 2; i++) {
        await client.send(GET);
        const answer = await client.response();
        expect(answer.status).toBe(403);
        expect(answer.header("x-own")).toBe("y");
        expect(answer.body.toString()).toBe("mine");
      }
      expect(proxy.recorder.last.status).toBe(403);
      expect(proxy.recorder.last.error).toBe(null);
      expect(proxy.recorder.last.responseBytes).toBe(4);
    });

    test("requestBodyFilter responds, the upload is over and the client gets that answer", async () => {
      await using origin = await ScriptedOrigin.start(() => ok("fine"));
      const program = everyPhase(style, (phase, session) => {
        if (phase === "requestBodyFilter") session.respond(403, null, "mine");
      });
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      await using client = await proxy.client();
      await client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 99\r\n\r\npart");
      const answer = await client.response();
      expect([answer.status, answer.body.toString()]).toEqual([403, "mine"]);
      expect(answer.header("connection")).toBe("close");
      client.halfClose();
      await client.untilEnd();
      await eventually("the origin is cut", () =>
        origin.connections.every((c) => c.ended !== "open"),
      );
      expect(origin.requests.length).toBe(0);
    });

    test("failToProxy responds, the client gets that answer instead of the error's", async () => {
      const errors: string[] = [];
      const program: Partial<ProxyProgram> = {
        failToProxy(session, error) {
          errors.push(error.code);
          session.respond(299, null, "sorry");
          return style === "sync" ? "responded" : Promise.resolve("responded" as const);
        },
      };
      await using closed = await ScriptedOrigin.start(echo);
      const { port } = closed;
      await closed[Symbol.asyncDispose]();
      await using proxy = await startProxy({ driver, to: [port], program });
      await using client = await proxy.client();
      for (let i = 0; i < 2; i++) {
        await client.send(GET);
        expect((await client.response()).body.toString()).toBe("sorry");
      }
      expect(errors).toEqual(["ECONNREFUSED", "ECONNREFUSED"]);
      expect(proxy.recorder.last.error).toBe("ECONNREFUSED");
      expect(proxy.recorder.last.status).toBe(299);
    });

    test("failToProxy does not respond, or fails: the error's own answer goes out", async () => {
      let fail = false;
      const program: Partial<ProxyProgram> = {
        requestFilter(session) {
          session.respond(200, null, "not this");
          throw new Error("after responding");
        },
        failToProxy() {
          if (fail && style === "sync") throw new Error("again");
          if (style === "async")
            return fail ? Promise.reject(new Error("again")) : Promise.resolve();
        },
      };
      await using proxy = await startProxy({ driver, to: [1], program });
      proxy.recorder.expected.add("requestFilter").add("failToProxy");
      await using client = await proxy.client();
      for (let i = 0; i < 2; i++) {
        await client.send(GET);
        const answer = await client.response();
        expect(answer.status).toBe(500);
        expect(answer.body.toString()).not.toContain("not this");
        fail = true;
      }
      expect(proxy.recorder.faults.length).toBe(3);
    });

    test("the client leaves while a hook waits, the request is over at once and nothing leaks", async () => {
      await using origin = await ScriptedOrigin.start(() => withTrailers);
      for (const waiting of phases) {
        const held = Promise.withResolvers<void>();
        const seen: string[] = [];
        let reached = false;
        const hold = async (phase: string): Promise<undefined> => {
          seen.push(phase);
          if (phase === waiting) {
            reached = true;
            await held.promise;
          }
        };
        let aborted = false;
        const program: Partial<ProxyProgram> = {
          earlyRequestFilter: (session) => {
            session.signal.addEventListener("abort", () => {
              aborted = true;
            });
            return hold("earlyRequestFilter");
          },
          requestFilter: () => hold("requestFilter"),
          upstreamPeer: () => hold("upstreamPeer").then(() => "origin"),
          connectedToUpstream: () => hold("connectedToUpstream"),
          upstreamRequestFilter: () => hold("upstreamRequestFilter"),
          requestBodyFilter: () => hold("requestBodyFilter"),
          upstreamResponseFilter: () => hold("upstreamResponseFilter"),
          responseFilter: () => hold("responseFilter"),
          responseBodyFilter: () => hold("responseBodyFilter"),
          responseTrailerFilter: () => hold("responseTrailerFilter"),
        };
        if (waiting === "upstreamResponseBodyFilter") continue;
        await using proxy = await startProxy({ driver, to: [origin.port], program });
        await using client = await proxy.client();
        await client.send(POST);
        await eventually(`${waiting} was reached`, () => reached);
        client.reset();
        await eventually("the request is over", () => proxy.recorder.requests.length === 1);
        await proxy.settled();
        expect(aborted, waiting).toBe(true);
        const before = seen.length;
        held.resolve();
        await using next = await proxy.client();
        await next.send(GET);
        expect((await next.response()).status).toBe(200);
        expect(seen[before]).toBe("earlyRequestFilter");
      }
    });
  });

  test("the upstream dies while a hook waits on a kept connection, another one serves", async () => {
    for (const waiting of ["connectedToUpstream", "upstreamRequestFilter"] as const) {
      await using origin = await ScriptedOrigin.start(() => ok("fine"));
      let held: Promise<void> | undefined;
      const program: Partial<ProxyProgram> = { [waiting]: () => held };
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      await using client = await proxy.client();
      await client.send(GET);
      await client.response();
      const gate = Promise.withResolvers<void>();
      held = gate.promise;
      await client.send(GET);
      await eventually("the hook waits", () => proxy.origin.active === 1);
      origin.connections[0]!.socket.destroy();
      await eventually("another connection", () => proxy.recorder.upstreamOpened === 2);
      gate.resolve();
      expect((await client.response()).body.toString()).toBe("fine");
      expect(proxy.recorder.last.attempts).toBe(2);
    }
  });

  test("the upstream speaks while a hook waits before the request, its bytes answer nothing", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("fine"));
    let held: Promise<void> | undefined;
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: { upstreamRequestFilter: () => held },
    });
    await using client = await proxy.client();
    await client.send(GET);
    await client.response();
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    await client.send(GET);
    await eventually("the hook waits", () => proxy.origin.active === 1);
    origin.connections[0]!.socket.write(ok("poison"));
    await eventually("another connection", () => proxy.recorder.upstreamOpened === 2);
    gate.resolve();
    expect((await client.response()).body.toString()).toBe("fine");
  });

  test("the upstream ends its whole response while a hook waits, the client still gets it", async () => {
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.end("HTTP/1.1 200 OK\r\n\r\nwhole");
      return undefined;
    });
    const gate = Promise.withResolvers<void>();
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: { responseFilter: () => gate.promise },
    });
    await using client = await proxy.client();
    await client.send(GET);
    await eventually(
      "the origin has ended",
      () => origin.connections[0]?.socket.writableFinished === true,
    );
    gate.resolve();
    expect((await client.response()).body.toString()).toBe("whole");
  });

  test("both response filters wait, the body waits for both", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("body"));
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        upstreamResponseFilter: () => gates[0]!.promise,
        responseFilter: () => gates[1]!.promise,
      },
    });
    await using client = await proxy.client();
    await client.send(GET);
    gates[0]!.resolve();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(client.bytes.length).toBe(0);
    gates[1]!.resolve();
    expect((await client.response()).body.toString()).toBe("body");
  });

  test("an unknown upstream, is a 500", async () => {
    await using proxy = await startProxy({
      driver,
      to: [1],
      program: { upstreamPeer: () => "nowhere" },
    });
    proxy.recorder.expected.add("upstreamPeer");
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).status).toBe(500);
    expect(proxy.recorder.faults[0]!.message).toContain('"nowhere"');
  });

  test("a peer by address, is connected to, kept, and may have a host of its own", async () => {
    await using origin = await ScriptedOrigin.start(() => ok());
    const peer = { address: `127.0.0.1:${origin.port}`, host: "inner.example" };
    await using proxy = await startProxy({ driver, program: { upstreamPeer: () => peer } });
    await using client = await proxy.client();
    for (let i = 0; i < 3; i++) {
      await client.send(GET);
      expect((await client.response()).status).toBe(200);
    }
    expect(origin.connections.length).toBe(1);
    expect(origin.last.header("host")).toBe("inner.example");
    expect(proxy.recorder.last.reused).toBe(true);
    expect(proxy.recorder.last.endpoint).toBe(peer.address);
  });

  test("a peer by address that refuses, the program is asked again and may choose another", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("second"));
    let asked = 0;
    await using proxy = await startProxy({
      driver,
      program: {
        upstreamPeer: () => ({
          address: asked++ === 0 ? "127.0.0.1:1" : `127.0.0.1:${origin.port}`,
        }),
      },
    });
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe("second");
    expect(asked).toBe(2);
    expect(proxy.recorder.last.attempts).toBe(2);
  });

  test.each([
    ["fail", 1],
    ["retry", 2],
    ["default", 2],
  ] as const)("failToConnect says %s, %i attempts are made", async (verdict, attempts) => {
    const errors: string[] = [];
    await using proxy = await startProxy({
      driver,
      to: ["127.0.0.1:1"],
      program: {
        failToConnect(_session, error) {
          errors.push(error.code);
          return verdict;
        },
      },
    });
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
    expect(errors).toEqual(new Array(attempts).fill("ECONNREFUSED"));
    expect(proxy.recorder.last.attempts).toBe(attempts);
  });

  test("failToConnect responds, that is the answer and nothing more is tried", async () => {
    await using proxy = await startProxy({
      driver,
      to: ["127.0.0.1:1"],
      program: { failToConnect: (session) => void session.respond(299, null, "sorry") },
    });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe("sorry");
    }
    const { attempts, status, error } = proxy.recorder.last;
    expect([attempts, status, error]).toEqual([1, 299, "ECONNREFUSED"]);
  });

  test("failToConnect throws, its request fails with 500", async () => {
    await using proxy = await startProxy({
      driver,
      to: ["127.0.0.1:1"],
      program: {
        failToConnect() {
          throw new Error("own");
        },
      },
    });
    proxy.recorder.expected.add("failToConnect");
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).status).toBe(500);
    expect(proxy.recorder.faults[0]!.where).toBe("failToConnect");
  });

  test("errorWhileProxy, hears of a lost connection before the retry", async () => {
    const heard: string[] = [];
    await using origin = await ScriptedOrigin.start(({ connection, socket }) => {
      if (connection.received.split("GET").length === 3 && connection.number === 1) {
        socket.destroy();
        return undefined;
      }
      return ok("fine");
    });
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        errorWhileProxy: (session, error) => void heard.push(`${session.upstream} ${error.source}`),
      },
    });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send(GET);
      expect((await client.response()).body.toString()).toBe("fine");
    }
    expect(heard).toEqual(["null upstream"]);
  });

  test("edits of both requests, the client's for all attempts and the upstream's for one", async () => {
    await using origin = await ScriptedOrigin.start(() => ok());
    await using proxy = await startProxy({
      driver,
      to: [origin.port],
      program: {
        requestFilter({ request }) {
          request.headers.set("X-One", "1");
          request.target = "/changed?x";
        },
        upstreamRequestFilter({ upstreamRequest }) {
          upstreamRequest.headers.append("X-Two", "2");
          upstreamRequest.headers.delete("X-Drop");
        },
      },
    });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\nX-Drop: a\r\nX-One: 0\r\n\r\n");
    await client.response();
    expect(origin.last.raw).toBe(
      "GET /changed?x HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nX-Two: 2\r\n\r\n",
    );
  });

  test("respond with what cannot be sent, throws in the hook and answers 500", async () => {
    const bad: (() => void)[] = [];
    await using proxy = await startProxy({
      driver,
      program: {
        requestFilter(session) {
          for (const answer of [
            () => session.respond(99),
            () => session.respond(101),
            () => session.respond(600),
            () => session.respond(200, { "bad name": "x" }),
            () => session.respond(200, { X: "line\r\nbreak" }),
          ]) {
            try {
              answer();
            } catch (error) {
              if (error instanceof TypeError) bad.push(answer);
            }
          }
          return session.respond(200, null, "in the end");
        },
      },
    });
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe("in the end");
    expect(bad.length).toBe(5);
  });

  test.each([
    ["204 with a body", 204, "GET", ""],
    ["304 with a body", 304, "GET", ""],
    ["200 to head", 200, "HEAD", ""],
    ["200", 200, "GET", "text"],
  ])(
    "a local %s, is framed right and the next request is read",
    async (_name, status, method, body) => {
      await using proxy = await startProxy({
        driver,
        program: {
          requestFilter: (session) => session.respond(status, { "Content-Length": "9" }, "text"),
        },
      });
      await using client = await proxy.client();
      for (let i = 0; i < 2; i++) {
        await client.send(`${method} / HTTP/1.1\r\nHost: h\r\n\r\n`);
        const answer = await client.response(method);
        expect(answer.status).toBe(status);
        expect(answer.body.toString()).toBe(body);
        expect(answer.header("content-length")).toBe(status === 200 ? "4" : null);
      }
    },
  );
});
