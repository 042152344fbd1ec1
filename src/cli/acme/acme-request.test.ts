import { Agent, createServer, type Server } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { haveTools } from "../../../test/support/tools.ts";
import { TestAuthority } from "../../tls/testing/authority.ts";
import { describeProblem, requestScope, retryAfterOf, sendRequest } from "./acme-request.ts";

test("retry-after, seconds or a date, is milliseconds; anything else is none", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(retryAfterOf("120", now)).toBe(120_000);
  expect(retryAfterOf("Thu, 01 Jan 2026 00:01:00 GMT", now)).toBe(60_000);
  expect(retryAfterOf("Thu, 01 Jan 2025 00:01:00 GMT", now)).toBe(0);
  expect(retryAfterOf("soon", now)).toBe(0);
  expect(retryAfterOf(undefined, now)).toBe(0);
});

test("a problem with parts, is one line without control characters", () => {
  const parts = [{ detail: "a.test:\nforged line\u001b[31m" }, { type: "urn:x" }];
  expect(describeProblem({ detail: "two names", subproblems: parts })).toBe(
    "two names; a.test: forged line [31m; urn:x",
  );
});

describe.skipIf(!haveTools("openssl"))("a request to an authority", () => {
  let server: Server;
  let agent: Agent;
  let url: string;
  const seen: string[] = [];

  const answers: Readonly<Record<string, readonly [number, Record<string, string>, string]>> = {
    "/limited": [429, { "Retry-After": "7200" }, '{"detail":"too many orders"}'],
    "/typed": [403, {}, '{"type":"urn:ietf:params:acme:error:rateLimited","detail":"slow"}'],
    "/down": [503, { "Retry-After": "30" }, "<html>down</html>"],
    "/refused": [400, {}, '{"type":"urn:ietf:params:acme:error:malformed","detail":"no"}'],
    "/nonce": [400, {}, '{"type":"urn:ietf:params:acme:error:badNonce"}'],
    "/long": [200, {}, "x".repeat(1_100_000)],
  };

  beforeAll(async () => {
    using authority = new TestAuthority();
    const { certificate: cert, key } = authority.issue({ names: ["127.0.0.1"] });
    server = createServer({ cert, key }, (request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers["user-agent"]}`);
      if (request.url === "/silent") return;
      const [status, headers, body] = answers[request.url ?? ""] ?? [200, {}, "{}"];
      response.writeHead(status, headers).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
    agent = new Agent({ ca: authority.pem });
  });
  afterAll(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });

  const send = (path: string, signal = new AbortController().signal) =>
    requestScope.run({ agent, signal, retryAfter: 0 }, () =>
      sendRequest({ url: url + path, method: "post", data: "{}", headers: { toJSON: () => ({}) } }),
    );

  test.each([
    ["/limited", { kind: "limited", retryAfter: 7_200_000 }, "too many orders"],
    ["/typed", { kind: "limited" }, "slow"],
    ["/down", { kind: "unreachable", retryAfter: 30_000 }, "status 503"],
    ["/refused", { kind: "refused" }, "no"],
  ])("%s, it fails at once in its way", async (path, failure, words) => {
    const message = `${new URL(url).host} says: ${words}`;
    await expect(send(path)).rejects.toMatchObject({ ...failure, message });
    expect(seen.at(-1)).toMatch(/^POST \/\w+ millrace\/\d/);
    expect(seen.filter((line) => line.includes(path))).toHaveLength(1);
  });

  test("a bad nonce, is left to the client, which asks again", async () => {
    await expect(send("/nonce")).resolves.toMatchObject({ status: 400 });
  });

  test("an answer without end, is cut off", async () => {
    await expect(send("/long")).rejects.toMatchObject({ kind: "unreachable" });
  });

  test("silence, and then the end of the order: it fails", async () => {
    const order = new AbortController();
    const sent = send("/silent", order.signal);
    await expect.poll(() => seen.at(-1)).toMatch(/silent/);
    order.abort();
    await expect(sent).rejects.toMatchObject({ kind: "unreachable" });
  });
});
