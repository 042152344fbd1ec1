import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { DrivenStack } from "./driven-stack.ts";
import { addressKernel, canTap } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";
import type { Impairment } from "./programs/bad-wire.ts";

const able = await canTap("curl", "nc");
const folder = temporaryFolder("kernel");
const LENGTH = 4_000_000;
const file = join(folder, "upload");
const bytes = randomBytes(LENGTH);
writeFileSync(file, bytes);

const CLEAN: Impairment = { loss: 0, duplication: 0, delay: 2, late: 0, lateShare: 0 };

describe.skipIf(!able).each([
  { name: "loses 1 %", wrong: { ...CLEAN, loss: 0.01 } },
  { name: "loses 5 %", wrong: { ...CLEAN, loss: 0.05 }, length: 1_000_000 },
  { name: "lets 5 % be overtaken", wrong: { ...CLEAN, late: 6, lateShare: 0.05 } },
  { name: "doubles 5 %", wrong: { ...CLEAN, duplication: 0.05 } },
  {
    name: "does all of it, with 20 ms",
    wrong: { loss: 0.01, duplication: 0.01, delay: 20, late: 10, lateShare: 0.02 },
    length: 1_000_000,
  },
])("a wire that $name", ({ wrong, length = LENGTH }) => {
  let wire: Namespace;
  let stack: DrivenStack;

  beforeEach(async () => {
    wire = await Namespace.make();
    const addresses = ["10.7.0.2/24", "fd07::2/64"];
    const start = { name: "mr0", addresses, offload: false, impairment: wrong };
    stack = await DrivenStack.start(wire, start);
    await addressKernel(wire);
  });
  afterEach(async () => {
    await stack?.[Symbol.asyncDispose]();
    await wire?.[Symbol.asyncDispose]();
  });

  test.each(["10.7.0.2", "fd07::2"])("%s: up, down and back at once: equal sums", async (at) => {
    const host = at.includes(":") ? `[${at}]` : at;
    const chosen = createHash("sha256").update(bytes.subarray(0, length)).digest("hex");
    const up = `head -c ${length} ${file} | curl -gsS --max-time 20 -T - 'http://${host}/sum'`;
    const down = `curl -gsS --max-time 20 'http://${host}/bytes/${length}' | wc -c`;
    const echo = `head -c ${length} ${file} | timeout 20 nc -N ${at} 7 | sha256sum`;
    const [sent, came, back] = await Promise.all([up, down, echo].map((line) => wire.run(line)));
    expect(JSON.parse(sent!)).toEqual({ length, sha256: chosen });
    expect(Number(came)).toBe(length);
    expect(back!.split(" ")[0]).toBe(chosen);
  });
});
