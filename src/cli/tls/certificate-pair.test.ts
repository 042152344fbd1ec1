import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeSelfSigned } from "../cert/self-signed.ts";
import { readPair } from "./certificate-pair.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-pair-"));
const now = Date.now();
const DAY = 86_400_000;

const write = (name: string, text: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(async () => {
  const one = await makeSelfSigned(["one.test"], 10, now);
  const two = await makeSelfSigned(["two.test"], 10, now);
  write("one.pem", one.certificate);
  write("one.key", one.key);
  write("two.pem", two.certificate);
  write("chain.pem", `# leaf\n${one.certificate}\n${two.certificate}`);
  write("upside-down.pem", two.certificate + one.certificate);
  write("damaged.pem", one.certificate.replace(/\n[^\n]{20}/, "\nAAAAAAAAAAAAAAAAAAAA"));
  write("damaged.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  write("empty.pem", "");
  const der = one.certificate.replace(/-----.*-----|\s/g, "");
  write("one.der", Buffer.from(der, "base64"));
  const key = join(folder, "one.key");
  execFileSync("openssl", [
    ...["pkey", "-in", key, "-aes128", "-passout", "pass:x", "-out", join(folder, "locked.key")],
  ]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (cert: string, key: string, at = now, staple: string | null = null) => {
  const path = (name: string): string => join(folder, name);
  return readPair(
    { cert: path(cert), key: path(key), names: null, staple: staple && path(staple) },
    at,
  );
};

test("a pair, also with a chain: its names and when it ends", () => {
  for (const cert of ["one.pem", "chain.pem"]) {
    const pair = read(cert, "one.key");
    expect(pair.names).toEqual(["one.test"]);
    expect(Math.round((pair.validTo - now) / DAY)).toBe(10);
    expect(pair.warnings).toEqual([]);
  }
});

test.each([
  ["missing.pem", "one.key", /cannot read the certificate .*missing\.pem: there is no such file/],
  [".", "one.key", /it is a folder/],
  ["one.pem", "missing.key", /cannot read the key .*missing\.key/],
  ["two.pem", "one.key", /one\.key does not belong to the certificate .*two\.pem \(CN=two\.test/],
  ["upside-down.pem", "one.key", /own certificate is number 2; it must be the first/],
  ["one.key", "one.pem", /one\.key holds no certificate in PEM: a private key in it; .*swapped/],
  ["one.pem", "two.pem", /two\.pem holds no private key in PEM: a certificate is in it/],
  ["one.der", "one.key", /looks like DER; convert it: openssl x509 -inform der/],
  ["empty.pem", "one.key", /no BEGIN line was found/],
  ["damaged.pem", "one.key", /certificate 1 in it is damaged/],
  ["one.pem", "damaged.key", /the key .*damaged\.key is damaged/],
  ["one.pem", "locked.key", /is encrypted; write a plain one: openssl pkey/],
])("%s with %s: refused with what is wrong", (cert, key, expected) => {
  expect(() => read(cert, key)).toThrow(expected);
});

test("out of its time: a warning, since the clock may be what is wrong", () => {
  expect(read("one.pem", "one.key", now + 11 * DAY).warnings[0]).toMatch(/one\.pem expired on/);
  expect(read("one.pem", "one.key", now - DAY).warnings[0]).toMatch(/is not valid before/);
});

test("a staple that is no DER: refused", () => {
  expect(() => read("one.pem", "one.key", now, "two.pem")).toThrow(/two\.pem is no OCSP response/);
});
