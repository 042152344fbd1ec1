import { constants } from "node:os";
import { type EffectiveConfig, withDemoAddress } from "../config/effective.ts";
import { formatSocketAddress } from "../core/address.ts";
import { type Duration, millis } from "../core/time.ts";
import { CounterMemory } from "../telemetry/counters.ts";
import { renderExposition } from "../telemetry/exposition.ts";
import { trafficFamilies } from "../telemetry/metrics.ts";
import type { AcmeRun } from "./acme/acme-run.ts";
import { AddressUnavailable, settleAddresses } from "./addresses.ts";
import type { Admin } from "./admin.ts";
import { banner } from "./banner.ts";
import type { DemoOrigin } from "./demo-origin.ts";
import { ExitCode } from "./exit-code.ts";
import { LogSink } from "./log-sink.ts";
import { metricLayout } from "./metric-names.ts";
import type { ProxyPlan } from "./plan.ts";
import { processFamilies } from "./process-metrics.ts";
import { Report } from "./report.ts";
import { sibling } from "./sibling.ts";
import { handleSignals, type StopSignal } from "./signals.ts";
import { Supervisor, WorkerStartError } from "./supervisor.ts";
import { certificateFamilies } from "./tls/certificate-metrics.ts";
import type { TlsFiles } from "./tls/tls-files.ts";
import { mergeUpstreams } from "./upstream-view.ts";
import { packageVersion } from "./version.ts";

/** What requests get after SIGINT before they are cut. */
const interruptGrace = millis(500);
const snapshotTimeoutMs = 1_000;
const logFlushMs = 1_000;
/** How long workers may take to answer challenges as they are told. */
const challengeTimeoutMs = 5_000;
const quitMs = 200;

/** Serves by a plan until a signal ends it; then exits the process. */
export async function runProxy(plan: ProxyPlan): Promise<void> {
  const report = new Report((text) => process.stderr.write(text), plan.config.log.level);
  const run = new ProxyRun(plan, report);
  try {
    await run.start();
  } catch (error) {
    report.error(startFailure(error, plan));
    process.exit(ExitCode.failure);
  }
}

/** What started, and how it stops. */
class ProxyRun {
  readonly #plan: ProxyPlan;
  readonly #report: Report;
  #supervisor: Supervisor | null = null;
  #sink: LogSink | null = null;
  #admin: Admin | null = null;
  #demo: DemoOrigin | null = null;
  #tls: TlsFiles | null = null;
  #acme: AcmeRun | null = null;

  constructor(plan: ProxyPlan, report: Report) {
    this.#plan = plan;
    this.#report = report;
  }

  async start(): Promise<void> {
    handleSignals({
      drain: () => this.#stop("draining", this.#plan.config.drain.timeout),
      stop: () => this.#stop("stopping", interruptGrace),
      reload: () => this.#reload(),
      quit: (signal) => void this.#quit(signal),
    });
    const planned = await this.#withDemo();
    // The addresses of a stack of our own are not the kernel's to bind.
    const config = this.#plan.stack === null ? await settleAddresses(planned) : planned;
    this.#sink = this.#openLog();
    const layout = metricLayout(config);
    const memory = new CounterMemory(layout.slots, this.#plan.workers);
    this.#tls = await this.#openTls(config);
    this.#acme = await this.#openAcme(config);
    const supervisor = this.#supervise(config, memory);
    this.#supervisor = supervisor;
    await this.#startAdmin(supervisor, () => trafficFamilies(layout, memory));
    await supervisor.start();
    this.#tls?.start();
    this.#announce(config);
    this.#acme?.start();
  }

  async #withDemo(): Promise<EffectiveConfig> {
    const { config } = this.#plan;
    if (!config.demo) return config;
    const { startDemoOrigin } = await import("./demo-origin.ts");
    this.#demo = await startDemoOrigin();
    return withDemoAddress(config, this.#demo.address);
  }

  #openLog(): LogSink | null {
    const { access } = this.#plan.config.log;
    if (access === null) return null;
    return new LogSink(access.to, (error) =>
      this.#report.error(`access log to ${access.to}: ${error.message}`),
    );
  }

  /** Null where nothing speaks TLS. Throws FileProblem. */
  async #openTls(config: EffectiveConfig): Promise<TlsFiles | null> {
    const secure = config.listeners.some(({ settings }) => settings.tls !== null);
    if (!secure && config.upstreams.every(({ tls }) => tls === null)) return null;
    const { TlsFiles } = await import("./tls/tls-files.ts");
    return new TlsFiles(config, {
      report: this.#report,
      publish: (news) => this.#supervisor?.broadcast({ kind: "tls", news }),
    });
  }

  /** Null where no listener gets certificates by itself. Throws AcmeFailure. */
  async #openAcme(config: EffectiveConfig): Promise<AcmeRun | null> {
    if (config.listeners.every(({ acme }) => acme === null)) return null;
    const { AcmeRun } = await import("./acme/acme-run.ts");
    return new AcmeRun(config, {
      report: this.#report,
      show: (listener, certificates) => this.#tls?.takeIssued(listener, certificates),
      answer: async (answers) => {
        await this.#supervisor?.answerChallenges(answers, challengeTimeoutMs);
      },
    });
  }

  #supervise(config: EffectiveConfig, memory: CounterMemory): Supervisor {
    const { driver, stack, module, workers } = this.#plan;
    return new Supervisor({
      entry: sibling("worker"),
      workers,
      report: this.#report,
      start: (index) => ({
        index,
        config,
        tls: this.#tls?.material ?? null,
        challenges: this.#acme?.answers ?? [],
        driver,
        stack,
        module,
        counters: memory.buffer,
        workers,
      }),
      log: (text, taken) => this.#sink?.write(text, taken),
    });
  }

  async #startAdmin(
    supervisor: Supervisor,
    traffic: () => ReturnType<typeof trafficFamilies>,
  ): Promise<void> {
    const { config, description, driver, workers } = this.#plan;
    if (config.admin === null) return;
    const { startAdmin } = await import("./admin.ts");
    const version = packageVersion();
    this.#admin = await startAdmin(config.admin, {
      ready: () => supervisor.ready,
      draining: () => supervisor.draining,
      metrics: () => {
        const { readyWorkers, restarts } = supervisor;
        const facts = { version, driver, workers, readyWorkers, restarts };
        const certificates = certificateFamilies(this.#tls?.certificates ?? [], Date.now());
        const orders = this.#acme?.families ?? [];
        return renderExposition([
          ...traffic(),
          ...certificates,
          ...orders,
          ...processFamilies(facts),
        ]);
      },
      config: () => description,
      upstreams: async () => mergeUpstreams(await supervisor.snapshots(snapshotTimeoutMs)),
    });
  }

  #announce(config: EffectiveConfig): void {
    const facts = {
      plan: this.#plan,
      config,
      version: packageVersion(),
      admin: this.#admin?.address ?? null,
      demo: this.#demo?.address ?? null,
    };
    process.stderr.write(banner(facts, process.stderr.isTTY === true));
  }

  #reload(): void {
    this.#report.info("SIGHUP: certificates are read again; all else needs a restart");
    this.#tls?.reload();
  }

  #stop(word: string, deadline: Duration): void {
    this.#report.info(`${word}; a second signal ends it at once`);
    void this.#end(deadline);
  }

  async #end(deadline: Duration): Promise<void> {
    this.#acme?.stop();
    const gone = (await this.#supervisor?.drain(deadline)) ?? true;
    await this.#sink?.close(logFlushMs);
    this.#admin?.close();
    this.#demo?.close();
    if (!gone) {
      this.#report.error("a worker does not react; killing the process");
      dieBy("SIGKILL");
    }
    process.exit(ExitCode.ok);
  }

  async #quit(signal: StopSignal): Promise<void> {
    if ((await this.#supervisor?.stop(quitMs)) === false) dieBy(signal);
    process.exit(ExitCode.signalled + constants.signals[signal]);
  }
}

/** Ends the process as the signal would without handlers: no exit code of ours runs past a stuck thread. */
function dieBy(signal: "SIGKILL" | StopSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Why it did not start, and what to change. */
function startFailure(error: unknown, plan: ProxyPlan): string {
  if (error instanceof AddressUnavailable) return addressFailure(error, plan);
  if (error instanceof WorkerStartError) return `a worker did not start: ${error.message}`;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && path !== undefined)
    return `cannot write the access log to ${path}: ${code}`;
  return message;
}

function addressFailure(error: AddressUnavailable, { config, file }: ProxyPlan): string {
  const text = formatSocketAddress(error.address);
  const admin = config.admin !== null && formatSocketAddress(config.admin) === text;
  const flag = admin ? "--admin" : "--listen";
  const key = admin ? "admin.listen" : "the listener's listen";
  const how = file === null ? `choose another with ${flag}` : `change ${key} in ${file}`;
  const or = admin && file !== null ? ", or give --admin ADDRESS or --admin off" : "";
  return `${error.message}; ${how}${or}`;
}
