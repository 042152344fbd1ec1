import { parentPort, workerData } from "node:worker_threads";
import type { ChallengeAnswer } from "../acme/challenge-board.ts";
import { NetError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Duration } from "../core/time.ts";
import type { Transport } from "../core/transport.ts";
import type { ProxyProgram } from "../proxy/program.ts";
import type { RouteSettings } from "../proxy/route/settings.ts";
import { ProxyServer } from "../proxy/server.ts";
import type { PeerClientFactory } from "../proxy/upstream/peer-clients.ts";
import { CounterMemory } from "../telemetry/counters.ts";
import { MetricRecorder } from "../telemetry/recorder.ts";
import type { WorkerChallenges } from "./acme/worker-challenges.ts";
import { FaultReport } from "./fault-report.ts";
import { metricLayout } from "./metric-names.ts";
import { TelemetryObserver } from "./observer.ts";
import { QuietTrim } from "./quiet-trim.ts";
import type { TlsNews } from "./tls/news.ts";
import type { WorkerTls } from "./tls/worker-tls.ts";
import { openTransport } from "./transport-choice.ts";
import type { WorkerLog } from "./worker-log.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

/*
 * One worker thread: one transport, one proxy server. Modules that serve only some configurations (the
 * log, routes, drivers) are imported when needed: a thread's memory is mostly the code that it loaded.
 */
const port = parentPort!;
const start = workerData as WorkerStart;
const post = (message: FromWorker): void => port.postMessage(message);

const faults = new FaultReport(
  (where, text) => post({ kind: "fault", where, text }),
  () => performance.now(),
);

/** Stands in where every listener brings its own routes. */
const unrouted: ProxyProgram = {
  upstreamPeer(session) {
    throw new NetError("NO_ROUTE", `listener ${session.listener} has no routes`, {
      source: "internal",
      status: 404,
    });
  },
};

let running: {
  readonly transport: Transport;
  readonly server: ProxyServer;
  readonly log: WorkerLog | null;
} | null = null;
let tls: WorkerTls | null = null;
let challenges: WorkerChallenges | null = null;
/** The last that came before there was a proxy to give it. */
let earlyAnswers: readonly ChallengeAnswer[] = start.challenges;
/** What came before there was anyone to hear it. */
const earlyNews: TlsNews[] = [];
let drainAsked: Duration | null = null;

port.on("message", (message: ToWorker) => {
  if (message.kind === "drain") void drain(message.deadline);
  else if (message.kind === "stop") process.exit(0);
  else if (message.kind === "log-taken") running?.log?.taken(message.characters);
  else if (message.kind === "tls") takeNews(message.news);
  else if (message.kind === "challenges") void takeChallenges(message.answers, message.id);
  else if (running !== null) {
    post({ kind: "snapshot", id: message.id, snapshot: running.server.snapshot() });
  }
});

try {
  await run();
  if (drainAsked === null) post({ kind: "ready" });
  else await drain(drainAsked);
} catch (error) {
  if (!(error instanceof NetError)) throw error;
  post({ kind: "failed", reason: error.message, code: error.code });
}

async function run(): Promise<void> {
  const { config, index, workers } = start;
  const transport = await openTransport(start.driver, start.stack, start.descriptors, (error) =>
    faults.fault("driver", error),
  );
  // Sockets behind FFI do not end with the thread, and a poll handle that outlives it crashes libuv.
  process.on("exit", () => transport.close());

  const layout = metricLayout(config);
  const memory = new CounterMemory(layout.slots, workers, start.counters);
  const recorder = new MetricRecorder(layout, memory.row(index));
  const log = await openLog(transport, recorder);
  const observer = new TelemetryObserver(
    recorder,
    log?.accessLog ?? null,
    (where, error) => faults.fault(where, error),
    (text) => post({ kind: "notice", text }),
  );
  const program = await importProgram();
  tls = await openTls();
  const server = new ProxyServer({
    transport,
    program: program ?? unrouted,
    upstreams: config.upstreams,
    ...(tls !== null && { tlsClients: tls.clients }),
    ...(start.module !== null && {
      peerClients: await peerClients(),
    }),
    observer,
  });
  await server.start();
  await openChallenges(server);
  for (const news of earlyNews.splice(0)) takeNews(news);
  await listen(server, transport.rng);
  running = { transport, server, log };
  if (start.driver !== "node") await trimWhenQuiet(memory.row(index));
}

/** Counters of all kinds tell whether anything went on. */
async function trimWhenQuiet(counters: Float64Array): Promise<void> {
  const { trimHeap } = await import("../native/heap.ts");
  new QuietTrim(() => counters.reduce((sum, count) => sum + count, 0), trimHeap).start();
}

async function openLog(transport: Transport, recorder: MetricRecorder): Promise<WorkerLog | null> {
  const settings = start.config.log.access;
  if (settings === null) return null;
  const { WorkerLog } = await import("./worker-log.ts");
  return new WorkerLog(settings, transport.rng, recorder, (text) => post({ kind: "log", text }));
}

async function importProgram(): Promise<ProxyProgram | null> {
  if (start.module === null) return null;
  const { importModule } = await import("./program-module.ts");
  return (await importModule(start.module)) as ProxyProgram;
}

function takeNews(news: TlsNews): void {
  if (tls === null) earlyNews.push(news);
  else tls.take(news, (text) => post({ kind: "notice", text }));
}

/** Certificates come by ACME: the code for it is loaded where it is configured. */
async function openChallenges(server: ProxyServer): Promise<void> {
  if (start.config.listeners.every(({ acme }) => acme === null)) return;
  const { WorkerChallenges } = await import("./acme/worker-challenges.ts");
  challenges = new WorkerChallenges(server.challenges, start.driver);
  await takeChallenges(earlyAnswers, null);
}

async function takeChallenges(
  answers: readonly ChallengeAnswer[],
  id: number | null,
): Promise<void> {
  if (challenges === null) earlyAnswers = answers;
  else {
    await challenges.take(answers).catch((error: unknown) => faults.fault("ACME", error));
  }
  if (id !== null) post({ kind: "challenges-taken", id });
}

async function openTls(): Promise<WorkerTls | null> {
  if (start.tls === null) return null;
  const { WorkerTls } = await import("./tls/worker-tls.ts");
  const { nodeTlsLimits, tlsMakers } = await import("./tls/makers.ts");
  if (start.driver === "node" && start.index === 0) post({ kind: "notice", text: nodeTlsLimits });
  return new WorkerTls(start.config, start.tls, await tlsMakers(start.driver));
}

async function peerClients(): Promise<PeerClientFactory> {
  const { peerClientConfig } = await import("./tls/worker-tls.ts");
  const { tlsMakers } = await import("./tls/makers.ts");
  const { client } = await tlsMakers(start.driver);
  return (tls) => client(peerClientConfig(tls));
}

async function listen(server: ProxyServer, rng: Rng): Promise<void> {
  for (const [i, listener] of start.config.listeners.entries()) {
    const secured = tls?.server(i) ?? null;
    const program = listener.routes === null ? undefined : await routed(listener.routes, rng);
    for (const address of listener.addresses) {
      // A path belongs to one socket, so the first worker alone serves Unix sockets.
      if (address.kind === "unix" && start.index !== 0) continue;
      const reusePort = address.kind === "ip" && start.workers > 1;
      await server.listen(address, listener.settings, { reusePort }, program, secured);
    }
  }
}

async function routed(routes: readonly RouteSettings[], rng: Rng): Promise<ProxyProgram> {
  const { routeProgram } = await import("../proxy/route/program.ts");
  if (routes.every(({ transcode }) => !transcode)) return routeProgram(routes, rng);
  const { routeTranscoding } = await import("../proxy/grpc/transcoding.ts");
  return routeProgram(routes, rng, routeTranscoding);
}

async function drain(deadline: Duration): Promise<void> {
  if (running === null) {
    drainAsked = deadline;
    return;
  }
  await running.server.drain(deadline);
  running.log?.flush();
  running.transport.close();
  post({ kind: "drained" });
}
