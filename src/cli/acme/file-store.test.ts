import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { removeFolder, temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { haveTools } from "../../../test/support/tools.ts";
import { type IssuedPair, TestAuthority } from "../../tls/testing/authority.ts";
import { AccountFile } from "./account-file.ts";
import { FileStore, fileName } from "./file-store.ts";
import { PrivateFolder } from "./private-files.ts";

describe.skipIf(!haveTools("openssl"))("certificates as files", () => {
  let folder: string;
  let pair: IssuedPair;
  let other: IssuedPair;
  let warnings: string[];
  let store: FileStore;
  const names = ["one.test", "www.one.test"];
  const file = (): string => join(folder, `${fileName(names)}.pem`);

  beforeAll(() => {
    using authority = new TestAuthority();
    pair = authority.issue({ names });
    other = authority.issue({ names: ["other.test"] });
  });
  beforeEach(() => {
    warnings = [];
    folder = join(temporaryFolder("store"), "inner");
    store = new FileStore(new PrivateFolder(folder, (text) => warnings.push(text)));
  });
  afterAll(() => removeFolder(folder));

  test("written, it reads the same, for its owner alone", () => {
    expect(store.readCertificate(names)).toBeNull();
    const written = store.writeCertificate(names, pair);
    const read = store.readCertificate(names);
    expect(read).toMatchObject({ validTo: written.validTo, serial: written.serial });
    expect(read?.certificate.trim()).toBe(pair.certificate.trim());
    expect(read?.key.trim()).toBe(pair.key.trim());
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test("readable by others, it is mended and told", () => {
    store.writeCertificate(names, pair);
    chmodSync(file(), 0o644);
    expect(store.readCertificate(names)).not.toBeNull();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(warnings).toEqual([expect.stringContaining("(mode 644); it is 600 now")]);
  });

  test.each([
    ["empty", () => "", /no key is in it/],
    ["cut off", () => pair.key + pair.certificate.slice(0, 200), /no certificate is in it/],
    ["two halves of two pairs", () => other.key + pair.certificate, /does not belong/],
    ["of another name", () => other.key + other.certificate, /does not bear the name one\.test/],
    ["damaged", () => pair.key + pair.certificate.replace(/MII/, "AAA"), /cannot be used/],
  ])("%s, it counts as none and is told", (_, text, why) => {
    store.writeCertificate(names, pair);
    writeFileSync(file(), text());
    expect(store.readCertificate(names)).toBeNull();
    expect(warnings).toEqual([expect.stringMatching(why)]);
  });

  test("a pair that is none is not written", () => {
    store.writeCertificate(names, pair);
    const before = readFileSync(file());
    expect(() => store.writeCertificate(names, { ...pair, key: other.key })).toThrow(/belong/);
    expect(readFileSync(file())).toEqual(before);
  });

  test("names in another order or number are another file; what is left of a dead writer is no matter", () => {
    expect(fileName(["one.test"])).toBe("one.test");
    expect(fileName(names)).toMatch(/^one\.test\+1-[0-9a-f]{8}$/);
    expect(fileName([...names, "more.test"])).not.toBe(fileName(names));
    const long = `${"a".repeat(60)}.`.repeat(4);
    expect(fileName([`${long}x`]).length).toBeLessThan(200);
    expect(fileName([`${long}x`])).not.toBe(fileName([`${long}y`]));
    mkdirSync(folder);
    writeFileSync(join(folder, `.${fileName(names)}.pem.${process.pid}`), "half");
    store.writeCertificate(names, pair);
    expect(readdirSync(folder)).toEqual([`${fileName(names)}.pem`]);
  });

  test("attempts are kept and forgotten; nonsense in their file is none", () => {
    const record = { failures: 3, notBefore: 1_700_000_000_000, reason: "refused" };
    store.writeAttempts(names, record);
    expect(store.readAttempts(names)).toEqual(record);
    writeFileSync(join(folder, `${fileName(names)}.attempts.json`), "{");
    expect(store.readAttempts(names)).toBeNull();
    store.writeAttempts(names, null);
    store.writeAttempts(names, null);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder that cannot be made, told in words", () => {
    writeFileSync(folder, "a file is in the way");
    expect(() => store.writeAttempts(names, null)).toThrow(/cannot remove .*: ENOTDIR/);
    expect(() => store.writeCertificate(names, pair)).toThrow(/cannot write .*: E/);
  });

  test("an account's key is made once, and one that is damaged is never replaced", () => {
    const account = new AccountFile(new PrivateFolder(folder, (text) => warnings.push(text)));
    const key = account.key();
    expect(account.key()).toBe(key);
    expect(statSync(join(folder, "account.key")).mode & 0o777).toBe(0o600);
    writeFileSync(join(folder, "account.key"), "nonsense");
    expect(() => account.key()).toThrow(/is no key; remove it/);
    expect(readFileSync(join(folder, "account.key"), "utf8")).toBe("nonsense");
  });
});
