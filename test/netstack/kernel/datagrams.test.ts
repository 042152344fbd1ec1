import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { Dissection } from "./dissection.ts";
import { canTap, type MillraceHost, onWire } from "./kernel-host.ts";
import { Namespace } from "./namespace.ts";

const able = await canTap("curl", "tshark");
const folder = temporaryFolder("kernel");
const echoes = join(import.meta.dirname, "programs", "udp-echoes.ts");

interface Echoes {
  readonly sent: number;
  readonly equal: number;
}

describe.skipIf(!able)("datagrams between the kernel and the stack", () => {
  let wire: Namespace;
  let host: MillraceHost;

  beforeAll(async () => {
    wire = await Namespace.make();
    const pcap = join(folder, "datagrams.pcapng");
    host = await onWire(wire, "--echo", "7", "--discard", "9", "--http", "80", "--pcap", pcap);
  });
  afterAll(async () => {
    await wire?.[Symbol.asyncDispose]();
  });

  const ask = async (address: string, ...sizes: readonly number[]): Promise<Echoes> => {
    const line = [process.execPath, echoes, address, "7", ...sizes].join(" ");
    return JSON.parse(await wire.run(line)) as Echoes;
  };

  test("echo: all sizes around fragments' edges come back as they were", async () => {
    const edges = [0, 1, 2, 3, 1_471, 1_472, 1_473, 2_951, 2_952, 2_953, 8_000, 65_000, 65_507];
    expect(await ask("10.7.0.2", ...edges)).toEqual({ sent: edges.length, equal: edges.length });
    const edges6 = [0, 1, 2, 3, 1_451, 1_452, 1_453, 2_899, 2_900, 8_000, 65_000, 65_527];
    expect(await ask("fd07::2", ...edges6)).toEqual({ sent: edges6.length, equal: edges6.length });
  });

  test("echo: every size from 0 to 1,600, both families", async () => {
    const sizes = Array.from({ length: 1_601 }, (_, size) => size);
    expect(await ask("10.7.0.2", ...sizes)).toEqual({ sent: 1_601, equal: 1_601 });
    expect(await ask("fd07::2", ...sizes)).toEqual({ sent: 1_601, equal: 1_601 });
  });

  test("discard: 2,000 datagrams that the kernel sends in trains are counted one by one", async () => {
    const before = (await host.service("discard")).datagramsIn;
    const trains = join(import.meta.dirname, "programs", "udp-burst.ts");
    await wire.run(`${process.execPath} ${trains} 10.7.0.2 9 2000 512`);
    await expect.poll(async () => (await host.service("discard")).datagramsIn - before).toBe(2_000);
  });

  test("captured: no malformed packet, no bad checksum, every fragment found its datagram", async () => {
    await host.stop();
    const capture = new Dissection(wire, join(folder, "datagrams.pcapng"));
    expect((await capture.packets("udp.port == 7")).length).toBeGreaterThan(6_000);
    expect(await capture.wrong()).toEqual([]);
    const fragments = await capture.packets("ip.flags.mf == 1 || ipv6.fraghdr.more == 1");
    expect(fragments.length).toBeGreaterThan(100);
    const broken =
      "ip.fragment.error || ip.fragment.overlap || ipv6.fragment.error || ipv6.fragment.overlap";
    expect(await capture.packets(broken)).toEqual([]);
  });
});
