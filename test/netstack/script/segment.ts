import { TcpFlag } from "../../../src/wire/tcp.ts";

/** Sequence numbers of a script: the first of each side is 0. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

/** `any` matches all, `last` is what the other side sent last. */
export type Stamp = number | "any" | "last";

/** A TCP segment as a script writes it. Null: not given, so not compared, or left at its default. */
export interface Segment {
  readonly ecn: number | null;
  readonly flags: number;
  readonly start: number;
  readonly end: number;
  /** What the sequence space does not tell, as SYN and FIN are not counted in it. */
  readonly length: number;
  readonly ack: number | null;
  readonly win: number | null;
  readonly options: readonly Option[] | null;
  /** The peer's port, where a script speaks of several. */
  readonly port: number | null;
}

export type Option =
  | { readonly kind: "mss" | "ws" | "uto"; readonly value: number }
  | { readonly kind: "sackOK" }
  | { readonly kind: "ts"; readonly value: Stamp; readonly echo: Stamp }
  | { readonly kind: "sack"; readonly blocks: readonly Block[] };

const LETTERS = [
  ["S", TcpFlag.syn],
  ["F", TcpFlag.fin],
  ["R", TcpFlag.rst],
  ["P", TcpFlag.psh],
  ["U", TcpFlag.urg],
  [".", TcpFlag.ack],
  ["E", TcpFlag.ece],
  ["W", TcpFlag.cwr],
] as const;

const CODEPOINTS = ["noecn", "ect1", "ect0", "ce"];

const SHAPE =
  /^(?:\[(\w+)\]\s+)?([SFRPUEW.]+|-)\s+(\d+):(\d+)\((\d+)\)(?:\s+ack\s+(\d+))?(?:\s+win\s+(\d+))?(?:\s+<([^>]*)>)?(?:\s+port\s+(\d+))?$/;

/** Reads `S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK> port 40001`; throws Error with what is wrong. */
export function parseSegment(text: string): Segment {
  const match = SHAPE.exec(text);
  if (match === null) throw new Error(`not a segment: ${text}`);
  const [, ecn, letters, start, end, length, ack, win, options, port] = match;
  return {
    ecn: ecn === undefined ? null : codepoint(ecn),
    flags: flagsOf(letters!),
    start: Number(start),
    end: Number(end),
    length: Number(length),
    ack: ack === undefined ? null : Number(ack),
    win: win === undefined ? null : Number(win),
    options: options === undefined ? null : parseOptions(options),
    port: port === undefined ? null : Number(port),
  };
}

/** What `parseSegment` reads. */
export function formatSegment(segment: Segment): string {
  const { ecn, start, end, length, ack, win, options, port } = segment;
  const parts = [
    ecn === null || ecn === 0 ? "" : `[${CODEPOINTS[ecn]}]`,
    formatFlags(segment.flags),
    `${start}:${end}(${length})`,
    ack === null ? "" : `ack ${ack}`,
    win === null ? "" : `win ${win}`,
    options === null ? "" : `<${options.map(formatOption).join(",")}>`,
    port === null ? "" : `port ${port}`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

/** Why the segment that came is not the one that was expected, or null. PSH is nobody's promise. */
export function mismatch(expected: Segment, actual: Segment): string | null {
  const flags = (segment: Segment) => segment.flags & ~TcpFlag.psh;
  if (flags(expected) !== flags(actual)) {
    return `flags ${formatFlags(flags(actual))}, not ${formatFlags(flags(expected))}`;
  }
  const numbers = ["start", "end", "length", "ack", "win", "ecn", "port"] as const;
  for (const name of numbers) {
    if (expected[name] !== null && expected[name] !== actual[name]) {
      return `${name} ${actual[name]}, not ${expected[name]}`;
    }
  }
  return optionMismatch(expected.options, actual.options ?? []);
}

function optionMismatch(
  expected: readonly Option[] | null,
  actual: readonly Option[],
): string | null {
  if (expected === null) return null;
  for (const option of expected) {
    const there = actual.find(({ kind }) => kind === option.kind);
    if (there === undefined) return `no option ${option.kind}`;
    if (!sameOption(option, there)) return `option ${formatOption(there)}`;
  }
  const extra = actual.find(({ kind }) => !expected.some((option) => option.kind === kind));
  return extra === undefined ? null : `option ${formatOption(extra)} besides`;
}

function sameOption(expected: Option, actual: Option): boolean {
  if (expected.kind === "ts" && actual.kind === "ts") {
    const matches = (a: Stamp, b: Stamp) => a === "any" || a === b;
    return matches(expected.value, actual.value) && matches(expected.echo, actual.echo);
  }
  return formatOption(expected) === formatOption(actual);
}

function codepoint(name: string): number {
  const at = CODEPOINTS.indexOf(name);
  if (at < 0) throw new Error(`not an ECN codepoint: ${name} (${CODEPOINTS.join(", ")})`);
  return at;
}

const flagsOf = (letters: string): number =>
  LETTERS.reduce((flags, [letter, bit]) => (letters.includes(letter) ? flags | bit : flags), 0);

const formatFlags = (flags: number): string =>
  LETTERS.map(([letter, bit]) => ((flags & bit) !== 0 ? letter : "")).join("") || "-";

function parseOptions(text: string): Option[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "" && part !== "nop")
    .map(parseOption);
}

function parseOption(text: string): Option {
  const [kind, ...values] = text.split(/\s+/);
  switch (kind) {
    case "mss":
    case "ws":
    case "uto":
      return { kind, value: Number(values[0]) };
    case "sackOK":
      return { kind };
    case "ts":
      return { kind, value: parseStamp(values[0]), echo: parseStamp(values[1]) };
    case "sack":
      return { kind, blocks: values.map(parseBlock) };
    default:
      throw new Error(`not an option: ${text}`);
  }
}

function parseBlock(text: string): Block {
  const [start, end] = text.split(":").map(Number);
  if (start === undefined || end === undefined) throw new Error(`not a SACK block: ${text}`);
  return { start, end };
}

function parseStamp(text: string | undefined): Stamp {
  if (text === "*") return "any";
  if (text === "@") return "last";
  if (text === undefined || !/^\d+$/.test(text)) throw new Error(`not a timestamp: ${text}`);
  return Number(text);
}

const formatStamp = (stamp: Stamp): string =>
  stamp === "any" ? "*" : stamp === "last" ? "@" : `${stamp}`;

function formatOption(option: Option): string {
  switch (option.kind) {
    case "sackOK":
      return "sackOK";
    case "ts":
      return `ts ${formatStamp(option.value)} ${formatStamp(option.echo)}`;
    case "sack":
      return `sack ${option.blocks.map(({ start, end }) => `${start}:${end}`).join(" ")}`;
    default:
      return `${option.kind} ${option.value}`;
  }
}
