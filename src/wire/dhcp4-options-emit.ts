import { bytesOf } from "../core/bytes.ts";
import {
  type ClasslessRoute,
  DHCP4_FORMS,
  Dhcp4Option,
  type Dhcp4Options,
} from "./dhcp4-options.ts";
import type { DnsName } from "./dns-name.ts";
import { DnsWriter } from "./dns-writer.ts";

/** Code, length and value of every option, the end included: what goes after the magic cookie. */
export function dhcp4OptionBytes(messageType: number, options: Dhcp4Options): Uint8Array {
  const bytes: number[] = [Dhcp4Option.messageType, 1, messageType];
  for (const [field, code, form] of DHCP4_FORMS) {
    const value = options[field];
    if (value === null || (form !== "octets" && Array.isArray(value) && value.length === 0))
      continue;
    append(bytes, code, valueBytes(form, value));
  }
  for (const { code, value } of options.other) append(bytes, code, value);
  bytes.push(Dhcp4Option.end);
  return Uint8Array.from(bytes);
}

/** RFC 3396 §6: a value above 255 octets goes out as several options of the code, one after another. */
function append(bytes: number[], code: number, value: ArrayLike<number>): void {
  let at = 0;
  do {
    const length = Math.min(255, value.length - at);
    bytes.push(code, length);
    for (let i = 0; i < length; i++) bytes.push(value[at + i]! & 0xff);
    at += length;
  } while (at < value.length);
}

function valueBytes(
  form: (typeof DHCP4_FORMS)[number][2],
  value: Dhcp4Options[keyof Dhcp4Options],
): ArrayLike<number> {
  switch (form) {
    case "u16":
      return [(value as number) >>> 8, value as number];
    case "u32":
      return octetsOf(value as number);
    case "addresses":
      return (value as readonly number[]).flatMap(octetsOf);
    case "codes":
      return value as readonly number[];
    case "text":
      return bytesOf(value as string);
    case "octets":
      return value as Uint8Array;
    case "names":
      return namesBytes(value as readonly DnsName[]);
    case "routes":
      return (value as readonly ClasslessRoute[]).flatMap(routeBytes);
    default:
      return form satisfies never;
  }
}

const octetsOf = (n: number): number[] => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];

const routeBytes = (route: ClasslessRoute): number[] => [
  route.prefixLength,
  ...octetsOf(route.destination).slice(0, Math.ceil(route.prefixLength / 8)),
  ...octetsOf(route.router),
];

function namesBytes(names: readonly DnsName[]): Uint8Array {
  const measure = new DnsWriter(null, 0);
  for (const name of names) measure.compressedName(name);
  const bytes = new Uint8Array(measure.at);
  const writer = new DnsWriter(new DataView(bytes.buffer), 0);
  for (const name of names) writer.compressedName(name);
  return bytes;
}
