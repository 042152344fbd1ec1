import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { readPair } from "../tls/certificate-pair.ts";
import { writeSelfSigned } from "./write-self-signed.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "millrace-cert-"));
  made.push(path);
  return path;
}

test("names and addresses: a pair that fits, for all of them, whose key its owner alone reads", async () => {
  const out = join(folder(), "new");
  const hosts = ["App.Test", "*.app.test", "127.0.0.1", "[::1]"];
  const text = await writeSelfSigned({ hosts, out, days: "30", force: false });
  const files = { cert: join(out, "app.test.pem"), key: join(out, "app.test.key") };
  expect(text).toContain(`--cert ${files.cert} --key ${files.key}`);
  expect(statSync(files.key).mode & 0o777).toBe(0o600);
  const pair = readPair({ ...files, names: null, staple: null }, Date.now());
  expect(pair.names).toEqual(["app.test", "*.app.test", "127.0.0.1", "0:0:0:0:0:0:0:1"]);
  expect(pair.warnings).toEqual([]);
  expect(Math.round((pair.validTo - Date.now()) / 86_400_000)).toBe(30);
  const certificate = new X509Certificate(readFileSync(files.cert));
  expect(certificate.checkHost("x.app.test")).toBe("*.app.test");
  expect(certificate.ca).toBe(false);
});

test("files that are there: kept, unless told to replace them", async () => {
  const out = folder();
  const options = { hosts: ["a.test"], out, days: "1", force: false };
  await writeSelfSigned(options);
  const before = readFileSync(join(out, "a.test.pem"), "utf8");
  await expect(writeSelfSigned(options)).rejects.toThrow(/there already; --force replaces it/);
  expect(readFileSync(join(out, "a.test.pem"), "utf8")).toBe(before);
  await writeSelfSigned({ ...options, force: true });
  expect(readFileSync(join(out, "a.test.pem"), "utf8")).not.toBe(before);
});

test.each([
  [["a b"], "1", /"a b" is no host name/],
  [["-x.test"], "1", /no host name/],
  [["a.test"], "0", /--days: found 0/],
  [["a.test"], "9999", /--days: found 9999/],
])("%s for %s days is refused", async (hosts, days, expected) => {
  const made = writeSelfSigned({ hosts, out: folder(), days, force: false });
  await expect(made).rejects.toThrow(expected);
});
