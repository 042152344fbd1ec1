import { Ip } from "../netstack/ip-address.ts";
import { Prefix, whyUnfit } from "../netstack/prefix.ts";

/** A stack of our own on a device, as `--stack` describes it; plain data. */
export interface StackSpec {
  /** The kernel's interface. */
  readonly device: string;
  readonly mode: "tap" | "tun";
  /** `10.7.0.2/24`, at least one unless `dhcp`. */
  readonly addresses: readonly string[];
  /** Default routers, at most one of each family. */
  readonly gateways: readonly string[];
  readonly dhcp: boolean;
  readonly mtu: number | null;
}

/** What is wrong with a `--stack`, ready for print behind its name. */
export class BadStackSpec extends Error {
  override readonly name = "BadStackSpec";
}

const example = "say --stack tap=tap0,address=10.7.0.2/24";

/**
 * Reads `tap=NAME,address=10.7.0.2/24[,address=fd07::2/64][,gateway=10.7.0.1][,mtu=1500][,dhcp]`, or the
 * same with `tun=NAME`. Throws BadStackSpec.
 */
export function parseStackSpec(text: string): StackSpec {
  let device: string | null = null;
  let mode: "tap" | "tun" = "tap";
  let dhcp = false;
  let mtu: number | null = null;
  const addresses: string[] = [];
  const gateways: string[] = [];
  for (const part of text.split(",")) {
    const equals = part.indexOf("=");
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? "" : part.slice(equals + 1);
    if (key === "tap" || key === "tun") {
      if (device !== null) throw new BadStackSpec(`one device only; ${example}`);
      device = deviceName(value);
      mode = key;
    } else if (key === "address") addresses.push(address(value));
    else if (key === "gateway") gateways.push(gateway(value));
    else if (key === "mtu") mtu = mtuOf(value);
    else if (part === "dhcp") dhcp = true;
    else {
      throw new BadStackSpec(
        `unknown "${part}"; known are tap=, tun=, address=, gateway=, mtu=, dhcp; ${example}`,
      );
    }
  }
  if (device === null) throw new BadStackSpec(`no device given; ${example}`);
  if (dhcp && mode === "tun") throw new BadStackSpec(`dhcp needs Ethernet: say tap=${device}`);
  if (addresses.length === 0 && !dhcp) throw new BadStackSpec(`no address given; ${example}`);
  for (const via of gateways) {
    const ip = Ip.parse(via)!;
    const near = ip.isLinkLocal || addresses.some((text) => Prefix.parse(text)!.contains(ip));
    if (!near && !dhcp) throw new BadStackSpec(`gateway "${via}": no address is in its network`);
  }
  return { device, mode, addresses, gateways, dhcp, mtu };
}

/** IFNAMSIZ of Linux, its end included, is 16. */
function deviceName(name: string): string {
  if (/^[^\s/:]{1,15}$/.test(name) && name !== "." && name !== "..") return name;
  throw new BadStackSpec(
    `"${name}" is no name of an interface: 1 to 15 characters, no / : or space`,
  );
}

function address(text: string): string {
  const prefix = Prefix.parse(text);
  if (prefix === null || !text.includes("/")) {
    throw new BadStackSpec(`address "${text}" needs the form 10.7.0.2/24 or fd07::2/64`);
  }
  const unfit = whyUnfit(prefix);
  if (unfit !== null) throw new BadStackSpec(`address "${text}" ${unfit}`);
  return text;
}

function gateway(text: string): string {
  if (Ip.parse(text) !== null) return text;
  throw new BadStackSpec(`gateway "${text}" is no IP address`);
}

function mtuOf(text: string): number {
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (mtu >= 576 && mtu <= 65_520) return mtu;
  throw new BadStackSpec(`mtu "${text}" is not between 576 and 65520`);
}
