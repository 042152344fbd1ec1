import { describe, expect, test } from "vitest";
import { millis, seconds } from "../../../src/core/time.ts";
import type { Stream, StreamHandler, Transport } from "../../../src/core/transport.ts";
import { CALM } from "../../../src/drivers/memory/link.ts";
import { H2Code } from "../../../src/http/h2/error-code.ts";
import { ResponseHead } from "../../../src/http/head.ts";
import { freePort } from "../../support/ports.ts";
import { H2Client } from "../http2/client.ts";
import { type SimulatedClient, World, type WorldOptions } from "../simulated.ts";
import { startProxy } from "../support.ts";
import { type OriginBehaviour, SimulatedH2Origin } from "./simulated-origin.ts";

const GET = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
const POST = "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody";
const nothingLeft = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };

/** A world whose origin's nth connection behaves as the nth says; the last one goes on. */
class Scene {
  readonly origins: SimulatedH2Origin[] = [];
  world!: World;

  static async open(
    behaviours: readonly OriginBehaviour[],
    options: Partial<WorldOptions> = {},
  ): Promise<Scene> {
    const scene = new Scene();
    scene.world = await World.start({
      seed: 1,
      link: CALM,
      ...options,
      origin: { protocol: "http2", ...options.origin },
      accept: (stream: Stream, transport: Transport): StreamHandler => {
        const behaviour = behaviours[Math.min(scene.origins.length, behaviours.length - 1)]!;
        const origin = new SimulatedH2Origin(stream, transport, behaviour);
        scene.origins.push(origin);
        return origin;
      },
    });
    return scene;
  }

  async send(text: string): Promise<SimulatedClient> {
    const client = this.world.connect();
    client.send(text);
    await this.world.pass(millis(10));
    return client;
  }

  /** What each client got, and that nothing is left over. */
  async statuses(...clients: SimulatedClient[]): Promise<(number | string)[]> {
    await this.world.pass(millis(50));
    const found = clients.map((client) => client.responses(["GET"])[0]?.status ?? "cut");
    for (const client of clients) client.stream.abort();
    expect(await this.world.leftovers()).toEqual(nothingLeft);
    return found;
  }
}

const good: OriginBehaviour = { serve: (request) => request.answer({ body: request.body }) };
const silent: OriginBehaviour = { serve: () => {} };

describe("failures of an upstream of HTTP/2", () => {
  test.each([
    ["GET", GET],
    ["POST", POST],
  ])(
    "%s, refused before it was looked at, is asked again whatever its method",
    async (_method, text) => {
      const scene = await Scene.open([{ ...good, admit: (count) => count > 1 }]);
      const client = await scene.send(text);
      expect(await scene.statuses(client)).toEqual([200]);
      expect(scene.world.recorder.retries).toEqual(["PREMATURE_CLOSE"]);
      expect(scene.origins.length).toBe(1);
    },
  );

  test.each([
    ["GET", GET],
    ["POST", POST],
  ])(
    "%s, above the last stream of a GOAWAY, is asked again on another connection",
    async (_method, text) => {
      const scene = await Scene.open([silent, good]);
      const client = await scene.send(text);
      scene.origins[0]!.goAway(0);
      expect(await scene.statuses(client)).toEqual([200]);
      expect(scene.origins.length).toBe(2);
    },
  );

  test("streams below the last one of a GOAWAY, are finished, and new ones go elsewhere", async () => {
    const scene = await Scene.open([silent, good]);
    const first = await scene.send(GET);
    scene.origins[0]!.goAway(1);
    const second = await scene.send(GET);
    scene.origins[0]!.requests[0]!.answer({ body: "late" });
    expect(await scene.statuses(first, second)).toEqual([200, 200]);
    expect(scene.origins.map(({ requests }) => requests.length)).toEqual([1, 1]);
  });

  test("a refusal that does not end, ends with the attempts", async () => {
    const scene = await Scene.open([{ ...good, admit: () => false }]);
    const client = await scene.send(GET);
    expect(await scene.statuses(client)).toEqual([502]);
    expect(scene.world.recorder.last).toMatchObject({ attempts: 2, error: "PREMATURE_CLOSE" });
  });

  test.each([
    ["before the head", (_: unknown) => {}, 502],
    [
      "behind it",
      (request: { head(status: number, body: null): void }) => request.head(200, null),
      "cut",
    ],
  ])("a reset %s, is not asked again, and touches no other", async (_when, begin, status) => {
    const scene = await Scene.open([silent]);
    const broken = await scene.send(GET);
    const other = await scene.send(GET);
    const [one, two] = scene.origins[0]!.requests;
    begin(one!);
    one!.cancel(H2Code.internalError);
    await scene.world.pass(millis(10));
    two!.answer();
    expect(await scene.statuses(broken, other)).toEqual([status, 200]);
    expect(scene.world.recorder.retries).toEqual([]);
    expect(scene.origins.length).toBe(1);
  });

  test("a connection that dies, takes its requests along; of those on a kept one, GET is asked again", async () => {
    const scene = await Scene.open([
      { serve: (request) => request.request.target === "/warm" && request.answer() },
      good,
    ]);
    const warm = await scene.send(GET.replace("/a", "/warm"));
    const get = await scene.send(GET);
    const post = await scene.send(POST);
    scene.origins[0]!.stream.abort();
    expect(await scene.statuses(warm, get, post)).toEqual([200, 200, 502]);
  });

  test("a connection that dies on its first request, is not taken for one that had been kept", async () => {
    const scene = await Scene.open([silent, good]);
    const client = await scene.send(GET);
    scene.origins[0]!.stream.end();
    expect(await scene.statuses(client)).toEqual([502]);
  });

  test("a reset behind a whole answer, leaves the answer as it is", async () => {
    const scene = await Scene.open([{ serve: () => {}, admit: () => true }]);
    const client = await scene.send(POST.replace("4", "9"));
    // The server's machine resets with NO_ERROR by itself.
    scene.origins[0]!.requests[0]!.answer({ status: 403, body: "no" });
    expect(await scene.statuses(client)).toEqual([403]);
  });

  test("a reset with NO_ERROR in place of the end of a known length, is an end", async () => {
    const scene = await Scene.open([silent]);
    const [whole, short] = [await scene.send(GET), await scene.send(GET)];
    for (const request of scene.origins[0]!.requests) {
      // The machine would end the stream with the last octet of a length.
      const head = new ResponseHead();
      head.fields.append("Content-Length", request.stream.id === 1 ? "4" : "5");
      request.origin.session.sendHead(request.stream, head, "chunked", -1);
      request.send("body");
      request.cancel(H2Code.noError);
    }
    expect(await scene.statuses(whole, short)).toEqual([200, "cut"]);
  });

  test("no answer, is a timeout, and the stream alone is given up", async () => {
    const timeouts = { firstByte: millis(30) };
    const scene = await Scene.open([silent], { origin: { timeouts } });
    const client = await scene.send(GET);
    await scene.world.pass(millis(60));
    expect(scene.origins[0]!.requests[0]!.reset).toBe(H2Code.cancel);
    expect(await scene.statuses(client)).toEqual([504]);
    expect(scene.world.recorder.last.error).toBe("FIRST_BYTE_TIMEOUT");
    expect(scene.origins.length).toBe(1);
  });

  test("a stall within the answer, is a timeout, too", async () => {
    const timeouts = { betweenBytes: millis(30) };
    const scene = await Scene.open([silent], { origin: { timeouts } });
    const client = await scene.send(GET);
    const [request] = scene.origins[0]!.requests;
    request!.head(200, null);
    request!.send("x");
    await scene.world.pass(millis(60));
    expect(await scene.statuses(client)).toEqual(["cut"]);
    expect(scene.world.recorder.last.error).toBe("BETWEEN_BYTES_TIMEOUT");
  });

  test("a window that stays shut, is a stall of the upstream", async () => {
    const timeouts = { betweenBytes: millis(30) };
    const scene = await Scene.open([{ ...silent, limits: { streamWindow: 10 } }], {
      origin: { timeouts },
    });
    const warm = await scene.send(GET);
    // Nobody consumes what comes, for the request is never whole.
    const origin = scene.origins[0]!;
    origin.session.consumed = () => {};
    const length = 200_000;
    const post = scene.world.connect();
    post.send(
      `PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`,
    );
    await scene.world.pass(millis(80));
    expect(origin.requests[1]!.reset).toBe(H2Code.cancel);
    expect(scene.world.recorder.last.error).toBe("BETWEEN_BYTES_TIMEOUT");
    origin.requests[0]!.answer();
    expect(await scene.statuses(warm, post)).toEqual([200, 504]);
  });

  test("a server that has gone without a word, is found out by PING, and GET asks another", async () => {
    const scene = await Scene.open(
      [{ serve: (request) => request.request.target === "/warm" && request.answer() }, good],
      { origin: { timeouts: { firstByte: seconds(60) } } },
    );
    const warm = await scene.send(GET.replace("/a", "/warm"));
    const origin = scene.origins[0]!;
    const client = await scene.send(GET);
    origin.stream.handler = { onData() {}, onWritable() {}, onEnd() {}, onClose() {} };
    await scene.world.pass(seconds(24));
    expect(scene.origins.length).toBe(1);
    await scene.world.pass(seconds(3));
    expect(scene.origins.length).toBe(2);
    expect(await scene.statuses(warm, client)).toEqual([200, 200]);
  });

  test("requests before the server said that it takes one, go on to others where they are refused", async () => {
    const scene = await Scene.open([{ ...good, limits: { concurrentStreams: 1 } }]);
    const clients = [1, 2, 3].map(() => scene.world.connect());
    for (const client of clients) client.send(GET);
    expect(await scene.statuses(...clients)).toEqual([200, 200, 200]);
  });

  test("a server of HTTP/1.1, is an error of the upstream's that names it", async () => {
    const said: (string | undefined)[] = [];
    const world = await World.start({
      seed: 1,
      link: CALM,
      origin: { protocol: "http2" },
      program: { logging: (session) => void said.push(session.summary.error?.message) },
      accept: (stream) => ({
        onData() {
          const text = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n");
          if (!stream.closed) stream.write(text, 0, text.length);
        },
        onWritable() {},
        onEnd: () => stream.end(),
        onClose() {},
      }),
    });
    const client = world.connect();
    client.send(GET);
    await world.pass(millis(20));
    expect(client.responses(["GET"])[0]?.status).toBe(502);
    expect(world.recorder.last.error).toBe("MALFORMED_MESSAGE");
    expect(said).toEqual([expect.stringContaining("the upstream does not speak HTTP/2")]);
    client.stream.abort();
    expect(await world.leftovers()).toEqual(nothingLeft);
  });

  test("nobody there, is told once for all who waited, and counted once", async () => {
    const retries = { attempts: 1, maxFails: 2 };
    const origin = { protocol: "http2", retries } as const;
    await using proxy = await startProxy({ driver: "node", to: [await freePort()], origin });
    await using client = await H2Client.connect(proxy.port);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => client.ask()));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(502));
    expect(proxy.recorder.connectFailures).toEqual(["ECONNREFUSED"]);
    expect(proxy.server.snapshot().upstreams[0]!.endpoints[0]!.fails).toBe(1);
  });

  test("draining, lets what is under way finish, and ends the connection", async () => {
    const scene = await Scene.open([silent]);
    const client = await scene.send(GET);
    const drained = scene.world.server.drain(seconds(10));
    await scene.world.pass(millis(5));
    scene.origins[0]!.requests[0]!.answer();
    await scene.world.pass(millis(20));
    await drained;
    expect(await scene.statuses(client)).toEqual([200]);
    expect(scene.origins[0]!.stream.closed).toBe(true);
  });
});
