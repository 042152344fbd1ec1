import { readdirSync, readFileSync } from "node:fs";
import type { MetricFamily } from "../telemetry/exposition.ts";
import { counter, gauge, plain } from "../telemetry/metrics.ts";

export interface ProcessFacts {
  readonly version: string;
  readonly driver: string;
  readonly workers: number;
  readonly readyWorkers: number;
  readonly restarts: number;
}

/** The process's own families; names as Prometheus client libraries have them. */
export function processFamilies(facts: ProcessFacts): readonly MetricFamily[] {
  const cpu = process.cpuUsage();
  const families = [
    gauge("millrace_build_info", "Version and driver; always 1.", [
      plain({ version: facts.version, node: process.versions.node, driver: facts.driver }, 1),
    ]),
    gauge("millrace_workers", "Worker threads that the configuration asks for.", [
      plain({}, facts.workers),
    ]),
    gauge("millrace_workers_ready", "Worker threads that serve now.", [
      plain({}, facts.readyWorkers),
    ]),
    counter("millrace_worker_restarts_total", "Worker threads that died and were replaced.", [
      plain({}, facts.restarts),
    ]),
    counter("process_cpu_user_seconds_total", "User CPU time spent.", [plain({}, cpu.user / 1e6)]),
    counter("process_cpu_system_seconds_total", "System CPU time spent.", [
      plain({}, cpu.system / 1e6),
    ]),
    counter("process_cpu_seconds_total", "User and system CPU time spent.", [
      plain({}, (cpu.user + cpu.system) / 1e6),
    ]),
    gauge("process_resident_memory_bytes", "Resident memory.", [
      plain({}, process.memoryUsage.rss()),
    ]),
    gauge("process_start_time_seconds", "Start of the process since the Unix epoch.", [
      plain({}, startTime),
    ]),
  ];
  const descriptors = openDescriptors();
  if (descriptors !== null) {
    families.push(gauge("process_open_fds", "Open file descriptors.", [plain({}, descriptors)]));
  }
  const most = descriptorLimit();
  if (most !== null) {
    families.push(gauge("process_max_fds", "Most file descriptors allowed.", [plain({}, most)]));
  }
  return families;
}

const startTime = Date.now() / 1_000 - process.uptime();

/** Linux only; null elsewhere. */
function openDescriptors(): number | null {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return null;
  }
}

/** The soft limit; Linux only, null elsewhere. */
function descriptorLimit(): number | null {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(
      readFileSync("/proc/self/limits", "utf8"),
    );
    return line === null ? null : Number(line[1]);
  } catch {
    return null;
  }
}
