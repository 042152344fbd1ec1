import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ChallengeBoard } from "../../src/acme/challenge-board.ts";
import type { ChallengeType } from "../../src/acme/settings.ts";
import { Account } from "../../src/cli/acme/account.ts";
import { AccountFile } from "../../src/cli/acme/account-file.ts";
import { FileStore, fileName } from "../../src/cli/acme/file-store.ts";
import { PrivateFolder } from "../../src/cli/acme/private-files.ts";
import { removeFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { haveTools } from "../support/tools.ts";
import { Pebble } from "./pebble.ts";
import { Responder } from "./responder.ts";

describe.skipIf(!haveTools("pebble", "openssl"))("an account at Pebble", () => {
  let pebble: Pebble;
  let responder: Responder;
  let folder: string;
  const told: string[] = [];
  const stopping = new AbortController();

  beforeAll(async () => {
    responder = await Responder.start();
    const { httpPort, tlsPort } = responder;
    pebble = await Pebble.start({ httpPort, tlsPort, badNonces: 20 });
    folder = temporaryFolder("acme");
  });
  afterAll(async () => {
    stopping.abort();
    responder[Symbol.dispose]();
    await pebble[Symbol.asyncDispose]();
    removeFolder(folder);
  });

  const privateFolder = (name: string): PrivateFolder =>
    new PrivateFolder(join(folder, name), (text) => told.push(text));

  function account(
    name: string,
    challenge: ChallengeType = "http-01",
    ca: string | null = readFileSync(pebble.ca, "utf8"),
    directory = pebble.directory,
  ): Account {
    const settings = { directory, email: "someone@one.test", challenge };
    const file = new AccountFile(privateFolder(name));
    return new Account({ settings, ca, file, signal: stopping.signal, tell: (t) => told.push(t) });
  }

  const newBoard = (): ChallengeBoard => new ChallengeBoard(responder.publish);

  test.each(["http-01", "tls-alpn-01"] as const)(
    "%s, several names, one certificate bears them all and no answer is left",
    async (challenge) => {
      const names = ["one.test", "www.one.test"];
      const board = newBoard();
      const pair = await account(challenge, challenge).issue(names, board);
      const leaf = new X509Certificate(pair.certificate);
      expect(leaf.subjectAltName).toBe("DNS:one.test, DNS:www.one.test");
      expect(pair.certificate.match(/BEGIN/g)!.length).toBeGreaterThan(1);
      expect(board.answers).toEqual([]);
      expect(responder.answers).toEqual([]);
      const store = new FileStore(privateFolder(challenge));
      expect(store.writeCertificate(names, pair).validTo).toBeGreaterThan(Date.now());
      expect(store.readCertificate(names)?.serial).toBe(leaf.serialNumber);
      const path = join(folder, challenge);
      expect(statSync(path).mode & 0o777).toBe(0o700);
      const files = [`${fileName(names)}.pem`, "account.json", "account.key"];
      expect(readdirSync(path).toSorted()).toEqual(files.toSorted());
      for (const file of files) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
    },
  );

  test("terms and account, told once; another process with the same files has the same account", async () => {
    told.length = 0;
    await account("kept").issue(["kept.test"], newBoard());
    const record = new AccountFile(privateFolder("kept")).record();
    await account("kept").issue(["kept.test"], newBoard());
    expect(new AccountFile(privateFolder("kept")).record()).toEqual(record);
    expect(told).toEqual([
      expect.stringMatching(/^ACME: account at 127\.0\.0\.1:\d+, agreeing to data:/),
    ]);
  });

  test("an account that the authority does not know any more is made again", async () => {
    const file = new AccountFile(privateFolder("lost"));
    const url = pebble.directory.replace("/dir", "/my-account/none");
    file.write({ url, email: "someone@one.test" });
    await account("lost").issue(["lost.test"], newBoard());
    expect(file.record()?.url).toMatch(/\/my-account\/(?!none)/);
  });

  test("orders at once, each gets its own certificate", async () => {
    const shared = account("many");
    const board = newBoard();
    const names = Array.from({ length: 5 }, (_, i) => `n${i}.many.test`);
    const pairs = await Promise.all(names.map((name) => shared.issue([name], board)));
    const bears = pairs.map(({ certificate }) => new X509Certificate(certificate).subjectAltName);
    expect(bears).toEqual(names.map((name) => `DNS:${name}`));
    expect(board.answers).toEqual([]);
  });

  test("a wrong answer, refused with the authority's reason, and nothing is left to answer", async () => {
    responder.lie = "nonsense";
    const board = newBoard();
    const issuing = account("lie").issue(["lie.test"], board);
    await expect(issuing).rejects.toMatchObject({
      name: "AcmeFailure",
      kind: "refused",
      message: expect.stringMatching(/^lie\.test was not proven: .*key authorization/),
    });
    responder.lie = null;
    expect(board.answers).toEqual([]);
  });

  test("no answer at all, refused with the reason", async () => {
    const board = new ChallengeBoard(async () => {});
    await expect(account("none").issue(["none.test"], board)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("404"),
    });
  });

  test("a name that no authority takes, refused with the reason", async () => {
    await expect(account("bad").issue(["bad name"], newBoard())).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ says: /),
    });
  });

  test("nobody listens there, unreachable at once", async () => {
    const directory = "https://127.0.0.1:9/dir";
    await expect(
      account("away", "http-01", null, directory).issue(["one.test"], newBoard()),
    ).rejects.toMatchObject({
      kind: "unreachable",
      message: "cannot reach 127.0.0.1:9: connection refused",
    });
  });

  test("a directory with a certificate of someone unknown, told what to look at", async () => {
    await expect(
      account("unknown", "http-01", null).issue(["one.test"], newBoard()),
    ).rejects.toMatchObject({ kind: "unreachable", message: expect.stringContaining("`ca`") });
  });
});
