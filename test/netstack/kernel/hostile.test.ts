import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { Dissection } from "./dissection.ts";
import { canTap, type MillraceHost, onWire } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";

const able = await canTap("curl", "ss", "tshark");
const folder = temporaryFolder("kernel");
const flood = join(import.meta.dirname, "programs", "syn-flood.ts");
/** Twenty times what a listener keeps half-open. */
const SYNS = 20_000;

describe.skipIf(!able)("a flood of SYNs from strangers through the kernel", () => {
  let wire: Namespace;
  let host: MillraceHost;

  beforeEach(async () => {
    wire = await Namespace.make();
    await wire.run("sysctl -qw net.ipv4.ip_forward=1");
    const pcap = join(folder, "flood.pcapng");
    const gateway = ["--gateway", "10.7.0.1"];
    host = await onWire(wire, ...gateway, "--http", "80", "--echo", "7", "--pcap", pcap);
  });
  afterEach(async () => {
    await wire?.[Symbol.asyncDispose]();
  });

  test("connections are still accepted, by cookies, with their options", async () => {
    const flooding = await wire.start({
      command: process.execPath,
      args: [flood, "flood0", "10.7.0.2", "80", `${SYNS}`],
    });
    await wire.eventually("ip -s link show flood0 | grep -A1 RX | tail -1 | grep -qE '[0-9]{6}'");
    let whole = 0;
    while (flooding.running) {
      const text = await wire.run("curl -sS --max-time 5 http://10.7.0.2/bytes/1000000 | wc -c");
      expect(Number(text)).toBe(1_000_000);
      whole++;
    }
    expect(flooding.stdout).toBe("sent\n");
    expect(whole).toBeGreaterThan(0);
    // The backlog is still full: this one begins with a cookie, too.
    const idle = await wire.start({ command: "nc", args: ["10.7.0.2", "80"] });
    const options = await wire.eventually("ss -Htnieo dst 10.7.0.2 | grep -A1 ESTAB");
    expect(options).toMatch(/\bts sack\b.*wscale:/);
    await idle.stop();
    const upload = "head -c 5000000 /dev/zero | curl -sS --max-time 5 -T - http://10.7.0.2/sum";
    expect(JSON.parse(await wire.run(upload))).toMatchObject({ length: 5_000_000 });
    await host.stop();
    const capture = new Dissection(wire, join(folder, "flood.pcapng"));
    const strangers = "ip.dst == 198.18.0.0/15 && tcp.flags.syn == 1 && tcp.flags.ack == 1";
    const answered = new Set(await capture.packets(strangers, ["ip.dst", "tcp.dstport"]));
    expect(answered.size).toBeGreaterThan(10_000);
    expect(await capture.wrong()).toEqual([]);
  });
});
