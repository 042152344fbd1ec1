import type { AccessLogSettings } from "../config/effective.ts";
import type { Rng } from "../core/random.ts";
import { AccessLog } from "../telemetry/access-log.ts";
import { LineBatch } from "../telemetry/line-batch.ts";
import type { MetricRecorder } from "../telemetry/recorder.ts";

/** How long a line may wait in a batch. */
const flushAfterMs = 100;

/**
 * A worker's end of the access log: lines are made here and sent to the main thread in batches, since
 * one thread has to write them or lines of several workers would mix.
 */
export class WorkerLog {
  readonly accessLog: AccessLog;
  readonly #batch: LineBatch;
  #waiting = false;

  constructor(
    settings: AccessLogSettings,
    rng: Rng,
    recorder: MetricRecorder,
    send: (text: string) => void,
  ) {
    this.#batch = new LineBatch(send);
    this.accessLog = new AccessLog({
      sample: settings.sample,
      rng,
      timeOfDay: () => new Date().toISOString(),
      write: (line) => {
        if (this.#batch.add(line)) recorder.logLine();
        else recorder.logDropped();
        this.#flushSoon();
      },
    });
  }

  taken(characters: number): void {
    this.#batch.acknowledge(characters);
  }

  flush(): void {
    this.#batch.flush();
  }

  #flushSoon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    setTimeout(() => {
      this.#waiting = false;
      this.#batch.flush();
    }, flushAfterMs);
  }
}
