import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { DrivenStack } from "./driven-stack.ts";
import { addressKernel, canTap } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";
import type { Impairment } from "./programs/bad-wire.ts";

const able = await canTap("curl", "nc");
const folder = temporaryFolder("kernel");
const LENGTH = 2_000_000;
const file = join(folder, "upload");
const bytes = randomBytes(LENGTH);
writeFileSync(file, bytes);

const CLEAN: Impairment = { loss: 0, duplication: 0, delay: 2, late: 0, lateShare: 0 };

const WIRES: readonly { name: string; wrong: Impairment; length?: number }[] = [
  { name: "loses 1 %", wrong: { ...CLEAN, loss: 0.01 } },
  { name: "loses 5 %", wrong: { ...CLEAN, loss: 0.05 }, length: 500_000 },
  { name: "lets 5 % be overtaken", wrong: { ...CLEAN, late: 6, lateShare: 0.05 } },
  { name: "doubles 5 %", wrong: { ...CLEAN, duplication: 0.05 } },
  {
    name: "does all of it, with 20 ms",
    wrong: { loss: 0.01, duplication: 0.01, delay: 20, late: 10, lateShare: 0.02 },
    length: 500_000,
  },
];

describe.skipIf(!able).concurrent("streams over a wire of both families", () => {
  test.for(WIRES)("that $name: up, down and back at once, equal sums", async (made, { expect }) => {
    const { wrong, length = LENGTH } = made;
    await using wire = await Namespace.make();
    await using _stack = await DrivenStack.start(wire, {
      name: "mr0",
      addresses: ["10.7.0.2/24", "fd07::2/64"],
      settings: { dadTransmits: 0 },
      offload: false,
      impairment: wrong,
    });
    await addressKernel(wire);
    const sum = createHash("sha256").update(bytes.subarray(0, length)).digest("hex");
    const expected = [length, sum, length, sum];
    const both = ["10.7.0.2", "fd07::2"].map((at) => exchange(wire, at, length));
    expect(await Promise.all(both)).toEqual([expected, expected]);
  });
});

/** Length and sum of what came up, length of what came down, sum of what came back. */
async function exchange(wire: Namespace, at: string, length: number): Promise<readonly unknown[]> {
  const host = at.includes(":") ? `[${at}]` : at;
  const up = `head -c ${length} ${file} | curl -gsS --max-time 20 -T - 'http://${host}/sum'`;
  const down = `curl -gsS --max-time 20 'http://${host}/bytes/${length}' | wc -c`;
  const echo = `head -c ${length} ${file} | timeout 20 nc -N ${at} 7 | sha256sum`;
  const [sent, came, back] = await Promise.all([up, down, echo].map((line) => wire.run(line)));
  const sum = JSON.parse(sent!) as { readonly length: number; readonly sha256: string };
  return [sum.length, sum.sha256, Number(came), back!.split(" ")[0]];
}
