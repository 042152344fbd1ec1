import { Worker } from "node:worker_threads";
import type { ChallengeAnswer } from "../acme/challenge-board.ts";
import type { Duration } from "../core/time.ts";
import { DescriptorLog } from "../native/descriptor-log.ts";
import type { ServerSnapshot } from "../proxy/server.ts";
import { describeError, type Report } from "./report.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-protocol.ts";

export interface SupervisorOptions {
  readonly entry: URL;
  readonly workers: number;
  readonly start: (index: number) => Omit<WorkerStart, "descriptors">;
  readonly report: Report;
  /** Takes lines of the access log; `taken` says when the sink has them. */
  readonly log: (text: string, taken: () => void) => void;
}

/** A worker could not start: its own words, ready for print. */
export class WorkerStartError extends Error {
  override readonly name = "WorkerStartError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Semi-spaces of 2 MB each instead of up to 16: with 10,000 connections opened at once 8 MB less stay
 * behind, and a request leaves too little garbage for the size to matter.
 */
const heapLimits = { maxYoungGenerationSizeMb: 6 };
/** A worker that lived this long did not fail at its start: its replacement comes at once. */
const settledMs = 10_000;
const firstDelayMs = 100;
const lastDelayMs = 10_000;
/** Past a drain's deadline, how long a worker may take to say that it is done. */
const drainMarginMs = 2_000;
/** How long a worker may take to end at once. */
const stopMs = 1_000;

type State = "starting" | "ready" | "gone";

/** One place for a worker: its thread is replaced, the place stays. */
class Place {
  readonly index: number;
  worker: Worker | null = null;
  state: State = "gone";
  startedAt = 0;
  delayMs = firstDelayMs;
  restart: NodeJS.Timeout | null = null;

  constructor(index: number) {
    this.index = index;
  }
}

/**
 * Starts the workers, replaces one that dies and ends them all. A place whose worker dies again and
 * again waits longer before each replacement, up to ten seconds; the others go on serving.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #places: readonly Place[];
  readonly #asked = new Map<number, (snapshot: ServerSnapshot) => void>();
  readonly #told = new Map<number, () => void>();
  #lastId = 0;
  #restarts = 0;
  #up = false;
  #draining = false;
  #whenGone: (() => void) | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.workers }, (_, index) => new Place(index));
  }

  /** Resolves when every worker serves; rejects with a WorkerStartError after ending them all. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#places.map((place) => this.#first(place)));
      this.#up = true;
    } catch (error) {
      await this.stop(stopMs);
      throw error;
    }
  }

  /** Every worker serves, and none was told to stop. */
  get ready(): boolean {
    return !this.#draining && this.#places.every((place) => place.state === "ready");
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Workers that serve now. */
  get readyWorkers(): number {
    return this.#places.filter((place) => place.state === "ready").length;
  }

  /** Workers that were replaced since the start. */
  get restarts(): number {
    return this.#restarts;
  }

  /** What each worker that serves says of itself; one that does not answer in time is left out. */
  async snapshots(timeoutMs: number): Promise<readonly ServerSnapshot[]> {
    const serving = this.#places.filter((place) => place.state === "ready");
    const answers = await Promise.all(serving.map((place) => this.#ask(place, timeoutMs)));
    return answers.filter((answer) => answer !== null);
  }

  /** Tells every worker; one that starts later has it from `start`. */
  broadcast(message: ToWorker): void {
    for (const place of this.#places) this.#post(place, message);
  }

  /** Tells every worker; resolves when those that serve have taken it. Rejects when one does not in time. */
  async answerChallenges(answers: readonly ChallengeAnswer[], timeoutMs: number): Promise<void> {
    const told = this.#places.map(async (place) => {
      const taken = this.#tellChallenges(place, answers, timeoutMs);
      // One that starts takes it before it serves.
      if (place.state !== "ready" || (await taken)) return;
      throw new Error(`worker ${place.index} does not react`);
    });
    await Promise.all(told);
  }

  /** Lets requests under way end until the deadline; whether every worker is gone then. */
  async drain(deadline: Duration): Promise<boolean> {
    this.#end({ kind: "drain", deadline });
    return (await this.#gone(deadline / 1_000 + drainMarginMs)) || this.stop(stopMs);
  }

  /**
   * Ends every worker at once; whether all are gone within the time. One that never returns to its loop
   * stays: ending such a thread by force, `terminate`, would free what libuv still polls (a fault of
   * koffi's handles) and crash the process, so only the end of the process ends it.
   */
  stop(timeoutMs: number): Promise<boolean> {
    this.#end({ kind: "stop" });
    return this.#gone(timeoutMs);
  }

  #end(message: ToWorker): void {
    this.#draining = true;
    for (const place of this.#places) {
      if (place.restart !== null) clearTimeout(place.restart);
      place.restart = null;
      this.#post(place, message);
    }
  }

  /** Waits until every worker is gone; false when the time is over before. */
  #gone(timeoutMs: number): Promise<boolean> {
    if (this.#allGone()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#whenGone = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #first(place: Place): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#spawn(place, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /** Starts a thread in a place; `started` hears once how that went. */
  #spawn(place: Place, started: (error: WorkerStartError | null) => void): void {
    const { entry, start } = this.#options;
    const descriptors = DescriptorLog.allocate();
    const worker = new Worker(entry, {
      workerData: { ...start(place.index), descriptors } satisfies WorkerStart,
      name: `millrace-worker-${place.index}`,
      resourceLimits: heapLimits,
    });
    place.worker = worker;
    place.state = "starting";
    place.startedAt = performance.now();
    let cause: string | null = null;
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "ready") {
        place.state = "ready";
        started(null);
      } else if (message.kind === "failed") {
        cause = message.reason;
        started(new WorkerStartError(message.code, message.reason));
        this.#post(place, { kind: "stop" });
      } else this.#receive(place, message);
    });
    worker.on("error", (error: unknown) => {
      cause = describeError(error);
    });
    worker.on("exit", (code) => {
      const before = place.state;
      place.state = "gone";
      place.worker = null;
      // Nothing is left where it ended in good order.
      new DescriptorLog(descriptors).closeAll();
      const why = cause ?? `exit status ${code}`;
      if (before === "starting") started(new WorkerStartError("WORKER_FAILED", why));
      this.#ended(place, before, why);
    });
  }

  #receive(place: Place, message: FromWorker): void {
    if (message.kind === "log") {
      const { length } = message.text;
      this.#options.log(message.text, () =>
        this.#post(place, { kind: "log-taken", characters: length }),
      );
    } else if (message.kind === "fault") {
      this.#options.report.error(`${message.where}: ${message.text}`);
    } else if (message.kind === "notice") {
      this.#options.report.warn(message.text);
    } else if (message.kind === "snapshot") {
      this.#asked.get(message.id)?.(message.snapshot);
    } else if (message.kind === "challenges-taken") {
      this.#told.get(message.id)?.();
    } else if (message.kind === "drained") this.#post(place, { kind: "stop" });
  }

  #ended(place: Place, before: State, why: string): void {
    if (this.#draining) {
      if (this.#allGone()) this.#whenGone?.();
      return;
    }
    // `start` rejects for it, and nothing was served yet.
    if (before === "starting" && !this.#up) return;
    const lived = performance.now() - place.startedAt;
    place.delayMs = lived >= settledMs ? firstDelayMs : Math.min(place.delayMs * 2, lastDelayMs);
    this.#options.report.error(
      `worker ${place.index} ended: ${why}\n  a new one starts in ${place.delayMs} ms`,
    );
    place.restart = setTimeout(() => {
      place.restart = null;
      this.#restarts++;
      this.#spawn(place, () => {});
    }, place.delayMs);
  }

  #ask(place: Place, timeoutMs: number): Promise<ServerSnapshot | null> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const settle = (snapshot: ServerSnapshot | null): void => {
        clearTimeout(timer);
        this.#asked.delete(id);
        resolve(snapshot);
      };
      const timer = setTimeout(() => settle(null), timeoutMs);
      this.#asked.set(id, settle);
      this.#post(place, { kind: "snapshot", id });
    });
  }

  #tellChallenges(
    place: Place,
    answers: readonly ChallengeAnswer[],
    timeoutMs: number,
  ): Promise<boolean> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      const settle = (taken: boolean): void => {
        clearTimeout(timer);
        this.#told.delete(id);
        resolve(taken);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#told.set(id, () => settle(true));
      this.#post(place, { kind: "challenges", id, answers });
    });
  }

  #post(place: Place, message: ToWorker): void {
    place.worker?.postMessage(message);
  }

  #allGone(): boolean {
    return this.#places.every((place) => place.worker === null);
  }
}
