import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { removeFolder, temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { haveTools } from "../../../test/support/tools.ts";
import { TestClock } from "../../acme/testing/fakes.ts";
import { loadYaml } from "../../config/load.ts";
import { renderExposition } from "../../telemetry/exposition.ts";
import { TestAuthority } from "../../tls/testing/authority.ts";
import { Report } from "../report.ts";
import { AcmeRun } from "./acme-run.ts";
import { FileStore } from "./file-store.ts";
import { PrivateFolder } from "./private-files.ts";

describe.skipIf(!haveTools("openssl"))("acme in the main thread", () => {
  let folder: string;
  let shown: string[];
  let said: string;

  beforeAll(() => {
    folder = temporaryFolder("acme-run");
    using authority = new TestAuthority();
    const place = new PrivateFolder(join(folder, "authority.test-dir"), () => {});
    const store = new FileStore(place);
    store.writeCertificate(["one.test"], authority.issue({ names: ["one.test"] }));
    const record = { failures: 3, notBefore: Date.now() + 3 * 3_600_000, reason: "refused" };
    store.writeAttempts(["two.test"], record);
  });
  afterAll(() => removeFolder(folder));
  beforeEach(() => {
    shown = [];
    said = "";
  });

  function run(...listeners: readonly string[]): AcmeRun {
    const acme = (names: string): string =>
      `{ names: ${names}, agreeToTerms: true, storage: ${folder}, directory: https://authority.test/dir }`;
    const text = listeners.map(
      (names, i) => `  - name: l${i}
    listen: 127.0.0.1:${8443 + i}
    tls: { acme: ${acme(names)} }
    routes: [{ upstream: app }]
`,
    );
    const yaml = `listeners:\n${text.join("")}upstreams: { app: { endpoints: ["127.0.0.1:1"] } }\n`;
    const result = loadYaml(yaml, "test.yaml", {});
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const report = new Report((line) => {
      said += line;
    }, "info");
    const show = (listener: number, issued: readonly { readonly file: string }[]): void => {
      shown.push(`${listener} ${issued.map(({ file }) => file.split("/").at(-1)).join()}`);
    };
    // The clock stands before all that is stored: nothing is due.
    return new AcmeRun(result.config, { report, show, answer: async () => {} }, new TestClock());
  }

  test("two listeners that want the same: one certificate, shown by both, and known once", () => {
    const acme = run("[one.test]", "[one.test, two.test]");
    expect(shown).toEqual(["0 one.test.pem", "1 one.test.pem"]);
    const metrics = renderExposition(acme.families);
    expect(metrics.match(/failures_in_a_row\{/g)).toHaveLength(2);
    expect(metrics).toContain('millrace_acme_failures_in_a_row{certificate="two.test"} 3');
    acme.stop();
  });

  test("failures of another process: told at the start with the time that is left", () => {
    const acme = run("[two.test]");
    acme.start();
    expect(said).toMatch(
      /no certificate for two\.test yet: orders failed before, the next is in 3 h; until then handshakes for it are refused\n$/,
    );
    acme.stop();
  });

  test("all there: nothing is said", () => {
    const acme = run("[one.test]");
    acme.start();
    expect(said).toBe("");
    acme.stop();
  });
});
