import { NetError } from "../../core/errors.ts";
import { seconds } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import { TapHost } from "../../drivers/tap/host.ts";
import { trimHeap } from "../../native/heap.ts";
import { Capture } from "../../netstack/raw/capture.ts";
import { ExitCode } from "../exit-code.ts";
import { QuietTrim } from "../quiet-trim.ts";
import { describeError, Report } from "../report.ts";
import { handleSignals } from "../signals.ts";
import { packageVersion } from "../version.ts";
import { CaptureFile } from "./capture-file.ts";
import { ChargenService } from "./chargen.ts";
import { DiscardService } from "./discard.ts";
import { EchoService } from "./echo.ts";
import { EventReport } from "./event-report.ts";
import { hostBanner } from "./host-banner.ts";
import { HostStatus } from "./host-status.ts";
import { HttpService } from "./http-service.ts";
import type { HostInterface, HostPlan } from "./plan-host.ts";
import { serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { trafficOf } from "./traffic.ts";

/** What is left to resets and the capture after a signal. */
const stopMs = 100;

/** Services wait for their peers as long as those are there; of one that vanished this is heard. */
const KEEP_ALIVE = { idle: seconds(60), interval: seconds(10), probes: 3 };

/** Runs a host by a plan until a signal ends it; then exits the process. */
export async function runHost(plan: HostPlan): Promise<void> {
  const report = new Report((text) => process.stderr.write(text), "info");
  const run = new HostRun(plan, report);
  try {
    await run.start();
  } catch (error) {
    run.close();
    report.error(error instanceof NetError ? error.message : describeError(error));
    process.exit(ExitCode.failure);
  }
}

/** What is open, and how it is closed. */
class HostRun {
  readonly #plan: HostPlan;
  readonly #report: Report;
  #host: TapHost | null = null;
  #file: CaptureFile | null = null;

  constructor(plan: HostPlan, report: Report) {
    this.#plan = plan;
    this.#report = report;
  }

  async start(): Promise<void> {
    const { interfaces, gateways, services } = this.#plan;
    const host = new TapHost({
      tcp: { keepAlive: KEEP_ALIVE },
      onFault: (error) => this.#report.error(describeError(error)),
      onGone: (name) => this.#gone(name),
    });
    this.#host = host;
    const events = new EventReport(this.#report, () => performance.now());
    host.stack.watch((event) => events.tell(event));
    const capture = this.#capture(host);
    for (const iface of interfaces) {
      const added = host.addInterface(this.#optionsOf(iface));
      capture?.add(added);
    }
    if (this.#plan.dhcp) {
      for (const { name, mode } of interfaces) if (mode === "tap") host.stack.startDhcp(name);
    }
    for (const { via, device } of gateways) {
      host.stack.configuration.addRoute({ destination: "default", via, interface: device });
    }
    const transport = host.transport();
    const made = this.#services(host, transport);
    for (const [i, service] of made.entries()) {
      await serve(service, services[i]!.port, transport, host.stack.udp);
    }
    handleSignals({
      drain: () => this.#stop(),
      stop: () => this.#stop(),
      reload: () => this.#report.warn("SIGHUP: there is nothing to reload"),
      quit: (signal) => process.exit(ExitCode.signalled + (signal === "SIGINT" ? 2 : 15)),
    });
    // Ctrl-\, and what supervisors send where they are told to; SIGUSR1 is Node's own.
    for (const signal of ["SIGQUIT", "SIGUSR2"] as const) process.on(signal, () => this.#stop());
    // After a flood, the memory of a thousand connections would else stay ours.
    new QuietTrim(() => trafficOf(host.stack), trimHeap).start();
    this.#announce(host);
  }

  close(): void {
    this.#host?.close();
    this.#file?.close();
    this.#host = null;
    this.#file = null;
  }

  #stop(code: number = ExitCode.ok): void {
    this.close();
    setTimeout(() => process.exit(code), stopMs);
  }

  /** A host without a device is none: whoever started it may do so again. */
  #gone(name: string): void {
    this.#report.error(`${name} is gone: somebody removed the device`);
    const devices = this.#host?.devices ?? [];
    if (devices.every((device) => device.gone)) setImmediate(() => this.#stop(ExitCode.failure));
  }

  #capture(host: TapHost): Capture | null {
    const { pcap } = this.#plan;
    if (pcap === null) return null;
    try {
      if (CaptureFile.isFifo(pcap)) {
        this.#report.info(`--pcap ${pcap} is a FIFO: nothing begins until somebody reads it`);
      }
      this.#file = new CaptureFile(pcap, (error) =>
        this.#report.error(`the capture ends, ${pcap} cannot be written: ${error.message}`),
      );
    } catch (error) {
      throw new NetError("EACCES", `--pcap ${pcap}: ${(error as Error).message}`, {
        source: "internal",
      });
    }
    const { context } = host.stack;
    const epoch = Math.trunc(Date.now() * 1_000 - context.now());
    return new Capture({ now: () => context.now() }, this.#file, { epoch });
  }

  #optionsOf({ name, mode, addresses, fds, queues, mtu }: HostInterface) {
    return {
      name,
      mode,
      addresses,
      queues,
      settings: {
        forwarding: this.#plan.forward,
        conflictDetection: this.#plan.probe ? ("probe" as const) : ("announce" as const),
      },
      ...(fds.length === 0 ? {} : { fds }),
      ...(mtu === null ? {} : { mtu }),
    };
  }

  #services(host: TapHost, transport: Transport): readonly Service[] {
    const made: Service[] = [];
    for (const { name } of this.#plan.services) {
      switch (name) {
        case "http":
          made.push(new HttpService(new HostStatus(host.stack, made, packageVersion()), transport));
          break;
        case "echo":
          made.push(new EchoService());
          break;
        case "discard":
          made.push(new DiscardService());
          break;
        case "chargen":
          made.push(new ChargenService(host.rng));
          break;
        default:
          name satisfies never;
      }
    }
    return made;
  }

  #announce(host: TapHost): void {
    const interfaces = this.#plan.interfaces.map(({ name }) => {
      const { mtu, device } = host.stack.interface(name)!;
      const { checksum, tcpV4 } = device.offload;
      const offload = tcpV4 ? "64 KiB segments" : checksum ? "checksums offloaded" : "no offload";
      return { mtu, offload };
    });
    const facts = { plan: this.#plan, version: packageVersion(), interfaces };
    process.stdout.write(hostBanner(facts, process.stdout.isTTY === true));
  }
}
