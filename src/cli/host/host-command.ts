import { type Command, Option } from "commander";
import { ExitCode } from "../exit-code.ts";
import type { Plan } from "../plan.ts";
import type { HostArguments } from "./plan-host.ts";

const examples = `
Examples:
  $ millrace host --tap tap0 --address 10.7.0.2/24 --http 80 --echo 7
    # and on the kernel's side: ip addr add 10.7.0.1/24 dev tap0; curl http://10.7.0.2/
  $ millrace host --tap tap0 --address 10.7.0.2/24 --address fd07::2/64 --gateway 10.7.0.1
  $ millrace host --tap tap0 --mtu 65520 --address 10.7.0.2/24 --discard 9 --chargen 19
  $ millrace host --tap a --tap b --address a=10.1.0.1/24 --address b=10.2.0.1/24 --forward
  $ millrace host --tun tun0 --address 10.7.0.2/24 --http 80 --pcap host.pcapng

Devices: root makes them, or makes one for you: ip tuntap add dev tap0 mode tap user NAME.
A process without rights may be handed an open one: --tap tap0 --fd 3.

Addresses: before it uses one on Ethernet, it asks whether somebody has it, for 6 to 9 seconds with
IPv4 (RFC 5227) and one with IPv6 (RFC 4862), and says when it is "preferred". One that somebody has
it does not use, and says so. --no-probe uses IPv4 addresses at once, and defends them.

IPv6: takes what routers announce. Its stable addresses (RFC 7217) come from /etc/machine-id and the
device's name: the same at each start; without that file, others each time.

Exit status: 0 after a signal; 1 when it cannot run (no rights, a device in use);
2 for wrong flags.
`;

/** Adds `millrace host` to the program. */
export function addHost(program: Command, done: (plan: Plan) => void): void {
  program
    .command("host")
    .description("be a host, or a router, on TAP and TUN devices, with a TCP/IP stack of its own")
    .addOption(several("--tap <name>", "a TAP device: Ethernet (repeat for several)"))
    .addOption(several("--tun <name>", "a TUN device: IP alone (repeat for several)"))
    .addOption(
      several(
        "--address <address>",
        "10.7.0.2/24 or fd07::2/64; NAME=10.7.0.2/24 with several devices",
      ),
    )
    .addOption(
      several(
        "--gateway <address>",
        "default router (one for each of IPv4 and IPv6); NAME=fe80::1 says by which device",
      ),
    )
    .option("--dhcp", "ask for addresses, router and name servers by DHCP, on TAP devices")
    .option(
      "--no-probe",
      "use --address at once: do not ask for some seconds first whether somebody has it (RFC 5227)",
    )
    .option("--forward", "be a router: pass packets on between the devices")
    .option("--http <port>", "serve a status page, downloads (/bytes/N) and uploads (PUT /sum)")
    .option("--echo <port>", "send back what comes (RFC 862), over TCP and UDP")
    .option("--discard <port>", "throw away what comes (RFC 863), over TCP and UDP")
    .option("--chargen <port>", "send characters (RFC 864), over TCP and UDP")
    .option("--pcap <file>", "write all frames to a file that Wireshark reads")
    .option("--mtu <bytes>", "set the devices' MTU, up to 65520")
    .option("--queues <n>", "queues of each device")
    .addOption(several("--fd <n>", "an open descriptor of the device; NAME=N with several devices"))
    .showHelpAfterError("(millrace host --help shows what there is)")
    .addHelpText("after", examples)
    .action(async (flags: HostArguments) => done(await plan(flags)));
}

async function plan(flags: HostArguments): Promise<Plan> {
  const { BadHostArguments, planHost } = await import("./plan-host.ts");
  try {
    return planHost(flags);
  } catch (error) {
    if (!(error instanceof BadHostArguments)) throw error;
    process.stderr.write(`millrace host: ${error.message}\n`);
    process.stderr.write("(millrace host --help shows what there is)\n");
    return { kind: "exit", code: ExitCode.usage };
  }
}

const several = (flags: string, description: string): Option =>
  new Option(flags, description).argParser(collect).default([], "none");

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
