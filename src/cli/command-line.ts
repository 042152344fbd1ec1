import { Command, CommanderError, Option } from "commander";
import { addCert } from "./cert/cert-command.ts";
import { ExitCode } from "./exit-code.ts";
import { addHost } from "./host/host-command.ts";
import type { Plan } from "./plan.ts";
import type { ProxyArguments } from "./plan-proxy.ts";
import { packageVersion } from "./version.ts";

const examples = `
Examples:
  $ millrace proxy --listen 127.0.0.1:8080 --to 127.0.0.1:9000
  $ millrace proxy --listen '*:80' --to app1:9000 --to app2:9000 --workers 4
  $ millrace proxy --listen https://127.0.0.1:8443 --cert cert.pem --key key.pem --to app1:9000
  $ millrace proxy millrace.yaml
  $ millrace proxy app.ts --driver node --admin off
  # millrace proxy --stack tap=tap0,address=10.7.0.2/24 --listen 10.7.0.2:80 --to 10.7.0.1:9000
  $ millrace check millrace.yaml

Exit status: 0 after draining; 1 when it cannot run (an address is taken, say);
2 for wrong flags or configuration, with nothing bound.
`;

const proxyDefaults = `
What neither flag nor file says: --workers auto, --admin 127.0.0.1:9901,
--access-log on, --driver auto. A flag overrides the file.
`;

/** Reads the arguments after the program's name and does what needs no proxy: help, version, checks. */
export async function plan(argv: readonly string[]): Promise<Plan> {
  let result: Plan = { kind: "exit", code: ExitCode.ok };
  const program = commandLine((outcome) => {
    result = outcome;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander ends with 0 for help and version that were asked for, and has printed the rest.
    const asked = error.exitCode === 0;
    return { kind: "exit", code: asked ? ExitCode.ok : ExitCode.usage };
  }
  return result;
}

function commandLine(done: (plan: Plan) => void): Command {
  const program = new Command("millrace")
    .description("A programmable network stack: reverse proxy, load balancer, host of its own.")
    .version(packageVersion())
    .addHelpText("after", examples)
    .showHelpAfterError("(millrace --help shows what there is)")
    .exitOverride();
  addProxy(program, done);
  addCheck(program, done);
  addHost(program, done);
  addCert(program, done);
  return program;
}

function addProxy(program: Command, done: (plan: Plan) => void): void {
  program
    .command("proxy")
    .description("serve as a reverse proxy, by a YAML file, a TypeScript module or flags alone")
    .argument("[file]", "CONFIG.yaml, or a module that exports defineProxy({…})")
    .addOption(
      new Option("--listen <address>", "without a file: where clients connect (repeat for several)")
        .argParser(collect)
        .default([], "127.0.0.1:8080"),
    )
    .addOption(
      new Option("--to <address>", "without a file: an endpoint to forward to (repeat for several)")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option(
        "--cert <file>",
        "without a file: a certificate for https:// (PEM, chain included)",
      )
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(
      new Option("--key <file>", "without a file: its private key; repeat both for several")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--workers <n>", 'worker threads, or "auto": one for each core')
    .option("--admin <address>", 'where the admin listens, or "off"')
    .option("--access-log <where>", '"on" (standard output), "off", or the path of a file')
    .addOption(
      new Option("--driver <driver>", "how to do network I/O").choices(["auto", "epoll", "node"]),
    )
    .option(
      "--stack <device>",
      "serve on a TCP/IP stack of our own: tap=NAME,address=10.7.0.2/24[,gateway=…][,mtu=…][,dhcp]",
    )
    .showHelpAfterError("(millrace proxy --help shows what there is)")
    .addHelpText("after", proxyDefaults + examples)
    .action(async (file: string | undefined, flags: Omit<ProxyArguments, "file">) => {
      const { planProxy } = await import("./plan-proxy.ts");
      done(await planProxy({ ...flags, file }));
    });
}

function addCheck(program: Command, done: (plan: Plan) => void): void {
  program
    .command("check")
    .description("check a configuration and say what is wrong with it, without running it")
    .argument("<file>", "CONFIG.yaml, or a module that exports defineProxy({…})")
    .action(async (file: string) => {
      const { check } = await import("./check.ts");
      done({ kind: "exit", code: await check(file) });
    });
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
