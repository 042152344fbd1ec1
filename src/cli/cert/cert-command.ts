import type { Command } from "commander";
import { ExitCode } from "../exit-code.ts";
import type { Plan } from "../plan.ts";

const examples = `
Examples:
  $ millrace cert self-signed localhost 127.0.0.1 ::1
  $ millrace cert self-signed app.test '*.app.test' --out certs --days 365
`;

/** Adds `millrace cert` to the program. */
export function addCert(program: Command, done: (plan: Plan) => void): void {
  const cert = program
    .command("cert")
    .description("make certificates")
    .helpCommand(false)
    .showHelpAfterError("(millrace cert --help shows what there is)");
  cert
    .command("self-signed")
    .description("make a certificate for development, and say how to trust it")
    .argument("<host...>", "names, wildcards and IP addresses that it is for")
    .option("--out <folder>", "where HOST.pem and HOST.key go", ".")
    .option("--days <n>", "how long it is valid, from 1 to 3650", "90")
    .option("--force", "replace files that are there")
    .addHelpText("after", examples)
    .action(
      async (hosts: readonly string[], flags: { out: string; days: string; force?: true }) => {
        const { writeSelfSigned, CertRefused } = await import("./write-self-signed.ts");
        try {
          process.stdout.write(
            await writeSelfSigned({ hosts, ...flags, force: flags.force === true }),
          );
          done({ kind: "exit", code: ExitCode.ok });
        } catch (error) {
          if (!(error instanceof CertRefused)) throw error;
          process.stderr.write(`millrace: ${error.message}\n`);
          done({ kind: "exit", code: error.code });
        }
      },
    );
}
