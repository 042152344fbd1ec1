import { checkReferences } from "./checks.ts";
import { compileFile } from "./compile.ts";
import { validate } from "./diagnose.ts";
import type { EffectiveConfig } from "./effective.ts";
import type { Draft, LoadResult, Problem } from "./problem.ts";
import { fileSchema } from "./schema.ts";

/** What `millrace proxy --listen A --to B --to C` was given; text as it stood on the command line. */
export interface ProxyFlags {
  readonly listen: readonly string[];
  readonly to: readonly string[];
  /** Files with certificates, and with their keys in the same order. */
  readonly cert?: readonly string[];
  readonly key?: readonly string[];
  readonly workers?: string | number | undefined;
  readonly admin?: string | undefined;
  readonly driver?: string | undefined;
}

const defaultListen = "127.0.0.1:8080";
const addEndpoint = "Add --to 127.0.0.1:9000, say, or name a configuration file.";

/** The same configuration as a file with one listener, one upstream and a route from all to it. */
export function configFromFlags(flags: ProxyFlags): LoadResult<EffectiveConfig> {
  const { cert = [], key = [] } = flags;
  const secure = flags.listen.some((address) => address.startsWith("https://"));
  const unpaired = pairProblem(cert, key, secure);
  if (unpaired !== null) return { ok: false, problems: [unpaired] };
  const raw = {
    listeners: [
      {
        name: "default",
        listen: listenOf(flags.listen, secure),
        ...(secure && {
          tls: { certificates: cert.map((file, i) => ({ cert: file, key: key[i] })) },
        }),
        routes: [{ name: "default", upstream: "default" }],
      },
    ],
    upstreams: { default: { endpoints: [...flags.to] } },
    ...(flags.workers !== undefined && { workers: wholeNumber(flags.workers) }),
    ...(flags.admin !== undefined && { admin: flags.admin }),
    ...(flags.driver !== undefined && { driver: flags.driver }),
  };
  const { parsed, drafts } = validate(fileSchema, raw);
  const problems = [...drafts, ...checkReferences(raw, "file")].map(asFlagProblem);
  if (parsed === null || problems.length > 0) return { ok: false, problems };
  return { ok: true, config: compileFile(parsed), warnings: [] };
}

/** Beside https:// an address without a scheme is one in plain, as it is alone. */
function listenOf(addresses: readonly string[], secure: boolean): readonly string[] {
  if (addresses.length === 0) return [defaultListen];
  if (!secure) return addresses;
  return addresses.map((text) => (text.includes("://") ? text : `http://${text}`));
}

function pairProblem(
  cert: readonly string[],
  key: readonly string[],
  secure: boolean,
): Problem | null {
  if (cert.length < key.length || (secure && cert.length === 0)) {
    const fix = "Give --cert FILE --key FILE; `millrace cert self-signed localhost` makes a pair.";
    return problem("--cert", amount(cert), "a certificate for each --key and for https://", fix);
  }
  if (key.length < cert.length) {
    return problem("--key", amount(key), "the private key of each --cert");
  }
  if (cert.length === 0 || secure) return null;
  const fix = "Write --listen https://127.0.0.1:8443, say.";
  return problem("--cert", "no --listen that speaks TLS", "an address with https://", fix);
}

const amount = (files: readonly string[]): string =>
  files.length === 0 ? "nothing" : `${files.length} of them`;

/** Numbers become numbers; all else stays as it is, for the schema to refuse. */
function wholeNumber(value: string | number): string | number {
  return typeof value === "string" && /^\d{1,6}$/.test(value) ? Number(value) : value;
}

function asFlagProblem(draft: Draft): Problem {
  const flag = flagOf(draft);
  if (flag === "--to" && draft.path.length === 3) {
    return problem(flag, "nothing", "at least one endpoint", addEndpoint);
  }
  // A flag is given again where a file has a list, and has no map.
  const expected = draft.expected
    .replace("{ listen: ADDRESS }", 'an address such as "127.0.0.1:9901"')
    .replace(/, or a list of these|, or \{ address, weight \}|; use weight.*/, "");
  return problem(flag, draft.found, expected, draft.fix);
}

function flagOf({ path }: Draft): string {
  if (path[0] === "listeners") return path[2] === "tls" ? "--cert" : "--listen";
  if (path[0] === "upstreams") return "--to";
  return `--${String(path[0])}`;
}

function problem(flag: string, found: string, expected: string, fix?: string): Problem {
  const base = {
    severity: "error",
    file: "",
    line: 0,
    column: 0,
    path: flag,
    found,
    expected,
  } as const;
  return fix === undefined ? base : { ...base, fix };
}
