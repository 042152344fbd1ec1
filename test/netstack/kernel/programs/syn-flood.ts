/**
 * SYNs from made-up hosts of 198.18.0.0/15, sent into the kernel by a TUN device of its own, which is
 * their network: `syn-flood.ts DEVICE ADDRESS PORT COUNT`. The answers go to nobody.
 */
import { SeededRng } from "../../../../src/core/random.ts";
import { PinnedMemory } from "../../../../src/native/memory.ts";
import { TunQueue, VNET_HEADER } from "../../../../src/native/tun.ts";
import { pseudoSumOf } from "../../../../src/netstack/icmp/pseudo-sum.ts";
import { Ip } from "../../../../src/netstack/ip-address.ts";
import { emitIpv4, IPV4_HEADER_LENGTH } from "../../../../src/wire/ipv4.ts";
import { seq } from "../../../../src/wire/seq.ts";
import { emitTcp, fillTcpChecksum, TCP_PROTOCOL, TcpFlag } from "../../../../src/wire/tcp.ts";

const NETWORK = "198.18.0.1/15";
const BURST = 50;

const [device = "", address = "", port = "", count = ""] = process.argv.slice(2);
const queue = TunQueue.open({ name: device, mode: "tun", multiQueue: false });
const { execFileSync } = await import("node:child_process");
execFileSync("ip", ["addr", "add", NETWORK, "dev", device]);
execFileSync("ip", ["link", "set", device, "up"]);

const memory = new PinnedMemory(256);
const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset, memory.bytes.length);
const header = queue.vnetHeader ? VNET_HEADER : 0;
const rng = new SeededRng(1);
const destination = Ip.parse(address)!;
const options = {
  maximumSegmentSize: 1_460,
  windowScale: 7,
  sackPermitted: true,
  timestamps: { value: 1, echo: 0 },
  fastOpen: null,
  userTimeout: null,
  sack: [],
};

function frame(): number {
  const source = Ip.v4(0xc612_0000 + (rng.u32() & 0x1_ffff));
  const segment = {
    sourcePort: 1_024 + (rng.u32() % 60_000),
    destinationPort: Number(port),
    sequence: seq(rng.u32()),
    acknowledgment: seq(0),
    flags: TcpFlag.syn,
    window: 64_240,
    urgentPointer: 0,
    options,
    payloadLength: 0,
  };
  const at = header + IPV4_HEADER_LENGTH;
  const end = emitTcp(segment, view, at);
  const payloadLength = end - at;
  emitIpv4(
    {
      dscp: 0,
      ecn: 0,
      identification: rng.u32() & 0xffff,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol: TCP_PROTOCOL,
      source: source.w3 >>> 0,
      destination: destination.w3 >>> 0,
      options: [],
      payloadLength,
    },
    view,
    header,
  );
  fillTcpChecksum(view, at, end, pseudoSumOf(source, destination, TCP_PROTOCOL, payloadLength));
  return end;
}

for (let sent = 0; sent < Number(count); sent += BURST) {
  for (let i = 0; i < BURST; i++) queue.write(memory, 0, frame());
  // The stack's queue holds a few hundred: more at once would only be dropped by the kernel.
  await new Promise((resolve) => setTimeout(resolve, 2));
}
process.stdout.write("sent\n");
queue.close();
