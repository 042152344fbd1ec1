import { describe, expect, test } from "vitest";
import { haveTools } from "../../../test/support/tools.ts";
import type { TlsAnswer } from "../../acme/challenge-board.ts";
import { Challenges } from "../../proxy/challenges.ts";
import { TestAuthority } from "../../tls/testing/authority.ts";
import { WorkerChallenges } from "./worker-challenges.ts";

const http = (token: string) =>
  ({ kind: "http-01", token, keyAuthorization: `${token}.key` }) as const;

test("tokens are what was told last, and none is null", async () => {
  const challenges = new Challenges();
  const worker = new WorkerChallenges(challenges);
  await worker.take([http("a"), http("b")]);
  expect([...challenges.tokens!]).toEqual([
    ["a", "a.key"],
    ["b", "b.key"],
  ]);
  await worker.take([http("b")]);
  expect([...challenges.tokens!.keys()]).toEqual(["b"]);
  await worker.take([]);
  expect(challenges.tokens).toBeNull();
});

describe.skipIf(!haveTools("openssl"))("certificates", () => {
  const hello = (serverName: string, alpn: readonly string[] = ["acme-tls/1"]) => ({
    serverName,
    alpn,
    tls13: true,
    ticketName: null,
  });

  function answer(name: string): TlsAnswer {
    using authority = new TestAuthority();
    return { kind: "tls-alpn-01", name, ...authority.issue({ names: [name] }) };
  }

  test("told twice in a row, the last holds, though the engine is loaded only then", async () => {
    const challenges = new Challenges();
    const worker = new WorkerChallenges(challenges);
    const both = worker.take([answer("one.test")]);
    await Promise.all([both, worker.take([])]);
    expect(challenges.tlsServer).toBeNull();
    await worker.take([answer("two.test")]);
    expect(challenges.serverFor(hello("two.test"))).not.toBeNull();
    expect(challenges.serverFor(hello("one.test"))).toBeNull();
    expect(challenges.serverFor(hello("two.test", ["h2", "acme-tls/1"]))).toBeNull();
  });

  test("a certificate that is none, it is told, and what comes next is taken", async () => {
    const challenges = new Challenges();
    const worker = new WorkerChallenges(challenges);
    const bad = { ...answer("one.test"), certificate: "nonsense" };
    await expect(worker.take([bad])).rejects.toThrow(/certificate/);
    await worker.take([http("a")]);
    expect(challenges.tokens?.size).toBe(1);
    expect(challenges.serverFor(hello("one.test"))).toBeNull();
  });
});
