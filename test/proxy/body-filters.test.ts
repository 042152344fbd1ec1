import { describe, expect, test } from "vitest";
import type { BodyVerdict, MaybePromise, ProxyProgram } from "../../src/proxy/program.ts";
import { chunks, ok, ScriptedOrigin } from "./origin.ts";
import { aWhile, drivers, startProxy } from "./support.ts";

const POST = "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (piece: Uint8Array | null): string =>
  piece === null ? "" : Buffer.from(piece).toString();

type Filter = (piece: Uint8Array | null, end: boolean) => BodyVerdict;

const filters: readonly (readonly [name: string, filter: Filter, result: string])[] = [
  ["leaves it", () => undefined, "body"],
  ["drops it", (piece) => (piece === null ? undefined : null), ""],
  ["upper-cases it", (piece) => (piece === null ? null : bytes(text(piece).toUpperCase())), "BODY"],
  ["adds at the end", (_piece, end) => (end ? bytes("+end") : undefined), "body+end"],
  [
    "grows it",
    (piece) => (piece === null ? null : bytes(text(piece).repeat(1_000))),
    "body".repeat(1_000),
  ],
];

/** The filter plainly, or after a while. */
const styles = {
  sync: (filter: Filter) => filter,
  async:
    (filter: Filter) =>
    async (piece: Uint8Array | null, end: boolean): Promise<BodyVerdict> => {
      await aWhile(1);
      return filter(piece, end);
    },
};

describe.each(drivers)("body filters (%s)", (driver) => {
  describe.each(["sync", "async"] as const)("%s", (style) => {
    test.each(filters)(
      "requestBodyFilter %s, the origin gets that, chunked",
      async (_name, filter, result) => {
        await using origin = await ScriptedOrigin.start(() => ok("done"));
        const own = styles[style](filter) as (
          piece: Uint8Array | null,
          end: boolean,
        ) => MaybePromise<BodyVerdict>;
        const program: Partial<ProxyProgram> = {
          requestBodyFilter: (_s, piece, end) => own(piece, end),
        };
        await using proxy = await startProxy({ driver, to: [origin.port], program });
        await using client = await proxy.client();
        for (let i = 0; i < 2; i++) {
          await client.send(POST);
          expect((await client.response()).body.toString()).toBe("done");
          expect(origin.last.body).toBe(result);
          expect(origin.last.header("content-length")).toBe(null);
          expect(origin.last.header("transfer-encoding")).toBe("chunked");
        }
        expect(origin.connections.length).toBe(1);
      },
    );

    test.each(filters)(
      "responseBodyFilter %s, the client gets that, chunked",
      async (_name, filter, result) => {
        await using origin = await ScriptedOrigin.start(() => ok("body"));
        const own = styles[style](filter) as (
          piece: Uint8Array | null,
          end: boolean,
        ) => MaybePromise<BodyVerdict>;
        const program: Partial<ProxyProgram> = {
          responseBodyFilter: (_s, piece, end) => own(piece, end),
        };
        await using proxy = await startProxy({ driver, to: [origin.port], program });
        await using client = await proxy.client();
        for (let i = 0; i < 2; i++) {
          await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
          const answer = await client.response();
          expect(answer.body.toString()).toBe(result);
          expect(answer.header("content-length")).toBe(null);
        }
        expect(origin.connections.length).toBe(1);
      },
    );

    test("many small chunks in one read through both filters, keep their order", async () => {
      const pieces = Array.from({ length: 2_000 }, (_, i) => `${i},`);
      await using origin = await ScriptedOrigin.start(
        () => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(pieces, "X-T: 1")}`,
      );
      const same = async (): Promise<void> => {};
      const pass = style === "sync" ? () => undefined : same;
      const program: Partial<ProxyProgram> = { requestBodyFilter: pass, responseBodyFilter: pass };
      await using proxy = await startProxy({ driver, to: [origin.port], program });
      await using client = await proxy.client();
      await client.send(
        `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunks(pieces, "X-R: 2")}`,
      );
      const answer = await client.response();
      expect(answer.body.toString()).toBe(pieces.join(""));
      expect(answer.trailers).toEqual([["X-T", "1"]]);
      expect(origin.last.body).toBe(pieces.join(""));
      expect(origin.last.trailers).toBe("X-R: 2");
    });
  });

  test("upstreamResponseBodyFilter and responseBodyFilter, the one feeds the other", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("body"));
    const program: Partial<ProxyProgram> = {
      upstreamResponseBodyFilter: (_s, piece) =>
        piece === null ? bytes("!") : bytes(`<${text(piece)}>`),
      responseBodyFilter: (_s, piece, end) => bytes(`[${text(piece)}${end ? "$" : ""}]`),
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect((await client.response()).body.toString()).toBe("[<body>][!$]");
  });

  test("pass-body, the bodies go by with their lengths", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("body"));
    const never = (): never => {
      throw new Error("filtered in spite of pass-body");
    };
    const program: Partial<ProxyProgram> = {
      upstreamRequestFilter: () => "pass-body",
      responseFilter: () => "pass-body",
      requestBodyFilter: never,
      responseBodyFilter: never,
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    await client.send(POST);
    const answer = await client.response();
    expect(answer.header("content-length")).toBe("4");
    expect(origin.last.header("content-length")).toBe("4");
  });

  test("bodiless messages, meet no body filter", async () => {
    await using origin = await ScriptedOrigin.start(() => "HTTP/1.1 204 No\r\n\r\n");
    let calls = 0;
    const count = (): void => void calls++;
    const program = {
      requestBodyFilter: count,
      responseBodyFilter: count,
      upstreamResponseBodyFilter: count,
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect((await client.response()).status).toBe(204);
    expect(calls).toBe(0);
  });

  test("a filtered answer for http/1.0, ends with the connection", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("body"));
    const program: Partial<ProxyProgram> = {
      responseBodyFilter: (_s, piece) => (piece === null ? null : bytes("other")),
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
    const answer = await client.response();
    expect(answer.header("connection")).toBe("close");
    expect(answer.body.toString()).toBe("other");
  });

  test("a filter that keeps a piece, keeps its bytes", async () => {
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
      void aWhile(10).then(() => socket.write("def"));
      return undefined;
    });
    const kept: Uint8Array[] = [];
    const program: Partial<ProxyProgram> = {
      responseBodyFilter(_s, piece, end) {
        if (piece !== null) kept.push(piece);
        return end ? Buffer.concat(kept) : null;
      },
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect((await client.response()).body.toString()).toBe("abcdef");
  });

  test("content-length taken away by a hook, the body goes chunked", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("body"));
    const program: Partial<ProxyProgram> = {
      upstreamRequestFilter: ({ upstreamRequest }) =>
        void upstreamRequest.headers.delete("content-length"),
      responseFilter: ({ response }) => void response!.headers.delete("content-length"),
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    await client.send(POST);
    const answer = await client.response();
    expect(answer.header("transfer-encoding")).toBe("chunked");
    expect(answer.body.toString()).toBe("body");
    expect(origin.last.header("transfer-encoding")).toBe("chunked");
    expect(origin.last.body).toBe("body");
  });
});
