import { Prefix } from "../../netstack/prefix.ts";
import { peerAddress } from "./peer-address.ts";
import type { HostInterface, HostPlan, ServiceName } from "./plan-host.ts";

export interface HostFacts {
  readonly plan: HostPlan;
  readonly version: string;
  /** In the plan's order. */
  readonly interfaces: readonly { readonly mtu: number; readonly offload: string }[];
}

const MEANING: Readonly<Record<ServiceName, string>> = {
  http: "status page, /bytes/N, PUT /sum",
  echo: "RFC 862, TCP and UDP",
  discard: "RFC 863, TCP and UDP",
  chargen: "RFC 864, TCP and UDP",
};

/** What is said once the host is up: what it has, and what to type on the kernel's side. */
export function hostBanner(facts: HostFacts, colour: boolean): string {
  const { plan, version } = facts;
  const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[0m` : text);
  const kind = plan.forward ? "router" : "host";
  const lines = ["", `${bold(`Millrace ${version}`)}  ${kind}, process ${process.pid}`, ""];
  plan.interfaces.forEach((iface, i) => {
    const { mtu, offload } = facts.interfaces[i]!;
    const addresses = iface.addresses.length === 0 ? "no address yet" : iface.addresses.join(", ");
    const notes = `${iface.mode}, MTU ${mtu}, ${offload}`;
    lines.push(row(iface.name, addresses, notes));
  });
  for (const { name, port } of plan.services) lines.push(row(name, `port ${port}`, MEANING[name]));
  for (const { via } of plan.gateways) lines.push(row("gateway", via, "default route"));
  if (plan.pcap !== null) lines.push(row("capture", plan.pcap, "pcapng, for Wireshark"));
  if (isProbed(plan)) {
    lines.push(
      "",
      "Addresses are used in 6 to 9 seconds, if nobody else has them (--no-probe: at once).",
    );
  }
  lines.push("", "On the kernel's side, as root:");
  for (const command of kernelSide(plan.interfaces)) lines.push(`  ${bold(command)}`);
  const commands = toTry(plan);
  if (commands.length > 0) lines.push("", "Then:");
  for (const command of commands) lines.push(`  ${bold(command)}`);
  lines.push("", "Ctrl-C stops it.", "");
  return `${lines.join("\n")}\n`;
}

/** Whether there is an IPv4 address that has to wait. */
const isProbed = ({ probe, interfaces }: HostPlan): boolean =>
  probe &&
  interfaces.some(
    ({ mode, addresses }) =>
      mode === "tap" && addresses.some((text) => Prefix.parse(text)!.ip.version === 4),
  );

const row = (name: string, what: string, notes: string): string =>
  `  ${name.padEnd(10)}${what.padEnd(28)}  ${notes}`;

function kernelSide(interfaces: readonly HostInterface[]): string[] {
  return interfaces.flatMap(({ name, addresses }) => [
    ...addresses.flatMap((text) => {
      const peer = peerAddress(Prefix.parse(text)!);
      return peer === null ? [] : [`ip addr add ${peer} dev ${name}`];
    }),
    `ip link set ${name} up`,
  ]);
}

function toTry({ interfaces, services }: HostPlan): string[] {
  const ours = interfaces.flatMap(({ addresses }) => addresses).map((text) => Prefix.parse(text)!);
  const first = ours[0];
  if (first === undefined) return [];
  const commands = ours.map(({ ip }) => `ping ${ip}`);
  const host = first.ip.version === 4 ? `${first.ip}` : `[${first.ip}]`;
  for (const { name, port } of services) {
    if (name === "http") commands.push(`curl http://${host}${port === 80 ? "" : `:${port}`}/`);
    else if (name === "echo") commands.push(`nc ${first.ip} ${port}`);
    else if (name === "discard") commands.push(`head -c 1G /dev/zero | nc -N ${first.ip} ${port}`);
    else commands.push(`nc ${first.ip} ${port} | head`);
  }
  return commands;
}
