import { isInterfaceName } from "../../native/tun.ts";
import { Ip } from "../../netstack/ip-address.ts";
import { Prefix, whyUnfit } from "../../netstack/prefix.ts";

export type ServiceName = "http" | "echo" | "discard" | "chargen";

export const SERVICES: readonly ServiceName[] = ["http", "echo", "discard", "chargen"];

/** What `millrace host` is to run. Plain data. */
export interface HostPlan {
  readonly kind: "host";
  readonly interfaces: readonly HostInterface[];
  /** Default routers. */
  readonly gateways: readonly HostGateway[];
  readonly dhcp: boolean;
  readonly forward: boolean;
  /** Ask who has an address, before it is used. */
  readonly probe: boolean;
  readonly services: readonly { readonly name: ServiceName; readonly port: number }[];
  /** Where frames are written to, or null. */
  readonly pcap: string | null;
}

export interface HostGateway {
  readonly via: string;
  readonly device: string;
}

export interface HostInterface {
  readonly name: string;
  readonly mode: "tap" | "tun";
  readonly addresses: readonly string[];
  /** Open descriptors of the device; empty: it is opened by its name. */
  readonly fds: readonly number[];
  readonly queues: number;
  readonly mtu: number | null;
}

/** The flags of `millrace host`, as text. */
export interface HostArguments {
  readonly tap: readonly string[];
  readonly tun: readonly string[];
  readonly address: readonly string[];
  readonly gateway: readonly string[];
  readonly fd: readonly string[];
  readonly dhcp?: boolean | undefined;
  readonly forward?: boolean | undefined;
  /** False: `--no-probe`. */
  readonly probe?: boolean | undefined;
  readonly http?: string | undefined;
  readonly echo?: string | undefined;
  readonly discard?: string | undefined;
  readonly chargen?: string | undefined;
  readonly pcap?: string | undefined;
  readonly mtu?: string | undefined;
  readonly queues?: string | undefined;
}

/** What is wrong with the flags, ready for print. */
export class BadHostArguments extends Error {
  override readonly name = "BadHostArguments";
}

/** Reads the flags. Throws BadHostArguments. */
export function planHost(args: HostArguments): HostPlan {
  const devices = [
    ...args.tap.map((name) => ({ name: deviceName("--tap", name), mode: "tap" as const })),
    ...args.tun.map((name) => ({ name: deviceName("--tun", name), mode: "tun" as const })),
  ];
  const names = devices.map(({ name }) => name);
  if (names.length === 0) throw wrong("no device: say --tap tap0, or --tun tun0");
  const double = names.find((name, i) => names.indexOf(name) !== i);
  if (double !== undefined) throw wrong(`the device ${double} is named twice`);
  const addresses = args.address.map((text) => assigned(text, names));
  const again = addresses.find(({ device, prefix }, i) =>
    addresses.slice(0, i).some((one) => one.device === device && one.prefix.ip.equals(prefix.ip)),
  );
  if (again !== undefined)
    throw wrong(`--address ${again.address}: ${again.device} has it already`);
  const fds = descriptors(args.fd, names);
  const queues = args.queues === undefined ? 1 : whole("--queues", args.queues, 1, 256);
  const dhcp = args.dhcp === true;
  if (dhcp && args.tap.length === 0) throw wrong("--dhcp needs Ethernet: say --tap, not --tun");
  const mtu = args.mtu === undefined ? null : whole("--mtu", args.mtu, 68, 65_520);
  return {
    kind: "host",
    interfaces: devices.map(({ name, mode }) => ({
      name,
      mode,
      addresses: addresses.filter(({ device }) => device === name).map(({ address }) => address),
      fds: fds.get(name) ?? [],
      queues,
      mtu,
    })),
    gateways: args.gateway.map((text) => gateway(text, names, addresses)),
    dhcp,
    forward: args.forward === true,
    probe: args.probe !== false,
    services: services(args),
    pcap: args.pcap ?? null,
  };
}

function services(args: HostArguments): HostPlan["services"] {
  const found = SERVICES.flatMap((name) => {
    const port = args[name];
    return port === undefined ? [] : [{ name, port: whole(`--${name}`, port, 1, 65_535) }];
  });
  for (const { name, port } of found) {
    const other = found.find((one) => one.port === port)!;
    if (other.name !== name) {
      throw wrong(`--${other.name} and --${name} both say ${port}: one service on each port`);
    }
  }
  return found;
}

/** `ADDRESS/LENGTH`, or `NAME=ADDRESS/LENGTH` where there are several devices. */
function assigned(text: string, names: readonly string[]): Assigned {
  const equals = text.indexOf("=");
  const device = equals < 0 ? names[0]! : text.slice(0, equals);
  const address = text.slice(equals + 1);
  if (equals < 0 && names.length > 1) {
    throw wrong(`--address ${text}: which device? Say --address ${names[0]}=${text}`);
  }
  if (!names.includes(device)) {
    throw wrong(`--address ${text}: there is no device ${device}; there are ${names.join(", ")}`);
  }
  const prefix = Prefix.parse(address);
  if (prefix === null || !address.includes("/")) {
    throw wrong(`--address ${text}: an address looks like 10.7.0.2/24 or fd07::2/64`);
  }
  const unfit = whyUnfit(prefix);
  if (unfit !== null) throw wrong(`--address ${text}: it ${unfit}`);
  return { device, address, prefix };
}

interface Assigned {
  readonly device: string;
  readonly address: string;
  readonly prefix: Prefix;
}

/** `NUMBER`, or `NAME=NUMBER`; several of one device are its queues. */
function descriptors(texts: readonly string[], names: readonly string[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const device = equals < 0 ? names[0]! : text.slice(0, equals);
    if (!names.includes(device) || (equals < 0 && names.length > 1)) {
      throw wrong(`--fd ${text}: which device? Say --fd ${names[0]}=3`);
    }
    const fd = whole("--fd", text.slice(equals + 1), 3, 1 << 20);
    found.set(device, [...(found.get(device) ?? []), fd]);
  }
  return found;
}

function deviceName(flag: string, name: string): string {
  if (isInterfaceName(name)) return name;
  throw wrong(`${flag} ${name}: a name has 1 to 15 characters, without "/", ":" and spaces`);
}

/** `ADDRESS`, on the device with an address of its network; `NAME=ADDRESS` where none has. */
function gateway(
  text: string,
  names: readonly string[],
  addresses: readonly Assigned[],
): HostGateway {
  const equals = text.indexOf("=");
  const via = text.slice(equals + 1);
  const ip = Ip.parse(via);
  if (ip === null) {
    throw wrong(`--gateway ${text}: no IP address; it looks like 10.7.0.1 or fd07::1`);
  }
  const named = equals < 0 ? null : text.slice(0, equals);
  if (named !== null && !names.includes(named)) {
    throw wrong(`--gateway ${text}: there is no device ${named}; there are ${names.join(", ")}`);
  }
  const near = addresses.find(({ prefix }) => prefix.contains(ip))?.device;
  const only = names.length === 1 && ip.version === 6 && ip.isLinkLocal ? names[0] : undefined;
  const device = named ?? near ?? only;
  if (device !== undefined) return { via, device };
  const example = `${names[0]}=${via}`;
  throw wrong(
    `--gateway ${text}: no --address is in its network; if it is a neighbour all the same, say on which device: --gateway ${example}`,
  );
}

function whole(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw wrong(`${flag} ${text}: a whole number from ${least} to ${most} is needed`);
}

const wrong = (message: string): BadHostArguments => new BadHostArguments(message);
