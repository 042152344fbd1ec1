import { createHash, randomBytes } from "node:crypto";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { Dissection } from "./dissection.ts";
import { canTap, type MillraceHost, onWire } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";

const able = await canTap("curl", "nc", "ss", "tshark");
const SERVICES = ["--http", "80", "--echo", "7", "--discard", "9", "--chargen", "19"];
const HUNDRED = 100_000_000;

const folder = temporaryFolder("kernel");
const upload = join(folder, "upload");

async function sha256Of(path: string): Promise<string> {
  const sum = createHash("sha256");
  await pipeline(createReadStream(path), sum);
  return sum.digest("hex");
}

interface Sum {
  readonly length: number;
  readonly sha256: string;
}

beforeAll(() => {
  writeFileSync(upload, randomBytes(HUNDRED));
});

describe.skipIf(!able).each([
  { name: "MTU 1500", flags: [] },
  { name: "MTU 65520", flags: ["--mtu", "65520"] },
])("streams between the kernel and the stack, $name", ({ flags }) => {
  let wire: Namespace;
  let host: MillraceHost;

  beforeAll(async () => {
    wire = await Namespace.make();
    host = await onWire(wire, ...SERVICES, ...flags);
  });
  afterAll(async () => {
    await host?.stop();
    await wire?.[Symbol.asyncDispose]();
  });

  test.each(["10.7.0.2", "[fd07::2]"])("curl %s: 100 MB down and up, equal sums", async (at) => {
    const down = join(folder, "down");
    await wire.run(`curl -gsS --max-time 20 -o ${down} http://${at}/bytes/${HUNDRED}`);
    const back = await wire.run(`curl -gsS --max-time 20 -T ${down} http://${at}/sum`);
    expect(JSON.parse(back)).toEqual({ length: HUNDRED, sha256: await sha256Of(down) });
    const up = await wire.run(`curl -gsS --max-time 20 -T ${upload} http://${at}/sum`);
    expect((JSON.parse(up) as Sum).sha256).toBe(await sha256Of(upload));
  });

  test("eight at once, up and down mixed: equal sums", async () => {
    const sum = await sha256Of(upload);
    const jobs = Array.from({ length: 8 }, async (_, i) => {
      if (i % 2 === 0) {
        const text = await wire.run(`curl -sS --max-time 25 -T ${upload} http://10.7.0.2/sum`);
        return (JSON.parse(text) as Sum).sha256 === sum;
      }
      const command = `curl -gsS --max-time 25 'http://[fd07::2]/bytes/${HUNDRED}' | wc -c`;
      return Number(await wire.run(command)) === HUNDRED;
    });
    expect(await Promise.all(jobs)).toEqual(new Array(8).fill(true));
  });

  test("discard and chargen: bulk, counted at both ends", async () => {
    const before = (await host.service("discard")).bytesIn;
    await wire.run(`nc -N 10.7.0.2 9 < ${upload}`);
    expect((await host.service("discard")).bytesIn - before).toBe(HUNDRED);
    const text = await wire.run("nc 10.7.0.2 19 < /dev/null | head -c 20000000 | sha256sum");
    expect(text.split(" ")[0]).toBe(createHash("sha256").update(chargen(20_000_000)).digest("hex"));
  });

  test("nc -N: the half-closed connection still brings the echo of all of it", async () => {
    const text = await wire.run(`head -c 5000000 ${upload} | nc -N 10.7.0.2 7 | sha256sum`);
    const sum = await wire.run(`head -c 5000000 ${upload} | sha256sum`);
    expect(text).toBe(sum);
    await wire.eventually("! ss -Htn state established dst 10.7.0.2 | grep -q .");
  });
});

describe.skipIf(!able)("what both ends agree on", () => {
  let wire: Namespace;
  let host: MillraceHost;

  beforeAll(async () => {
    wire = await Namespace.make();
    await wire.run("sysctl -qw net.ipv4.tcp_ecn=1");
    host = await onWire(wire, ...SERVICES, "--pcap", join(folder, "clean.pcapng"));
  });
  afterAll(async () => {
    await wire?.[Symbol.asyncDispose]();
  });

  test("ss -ti: the kernel has SACK, timestamps, window scaling and ECN", async () => {
    const idle = await wire.start({ command: "nc", args: ["10.7.0.2", "7"] });
    const text = await wire.eventually("ss -Htnieo dst 10.7.0.2 | grep -A1 ESTAB");
    await idle.stop();
    expect(text).toMatch(/\bts\b/);
    expect(text).toMatch(/\bsack\b/);
    expect(text).toMatch(/\becn\b/);
    expect(text).toMatch(/wscale:\d+,\d+/);
    expect(text).toMatch(/mss:1448/);
  });

  test("captured: 10 MB each way, no malformed packet, no bad checksum, nothing lost", async () => {
    await wire.run("curl -sS --max-time 10 -o /dev/null http://10.7.0.2/bytes/10000000");
    await wire.run(
      `head -c 10000000 ${upload} | curl -gsS --max-time 10 -T - 'http://[fd07::2]/sum'`,
    );
    await wire.run("ping -c 1 -s 20000 10.7.0.2; ping -c 1 -s 20000 fd07::2");
    await wire.run(
      "head -c 3000 /dev/zero | socat -b 3000 -t 0.3 - UDP:10.7.0.2:7 | wc -c | grep -q 3000",
    );
    await host.stop();
    const capture = new Dissection(wire, join(folder, "clean.pcapng"));
    expect((await capture.packets("tcp")).length).toBeGreaterThan(200);
    expect(await capture.wrong()).toEqual([]);
    // A probe of the tail (RFC 8985 §7) is no loss: the process at the other end waited for a CPU.
    expect((await capture.repeated()).length).toBeLessThanOrEqual(2);
    expect((await capture.packets("ip.dsfield.ecn != 0 && tcp")).length).toBeGreaterThan(50);
  });
});

/** What RFC 864 sends, each line one character later than the last. */
function chargen(length: number): Buffer {
  const lines: string[] = [];
  for (let line = 0; line < 95; line++) {
    let text = "";
    for (let i = 0; i < 72; i++) text += String.fromCharCode(0x20 + ((line + i) % 95));
    lines.push(`${text}\r\n`);
  }
  return Buffer.alloc(length, lines.join(""));
}
