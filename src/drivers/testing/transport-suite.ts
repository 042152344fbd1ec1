import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe } from "vitest";
import type { Transport } from "../../core/transport.ts";
import { backpressureCases } from "./cases/backpressure.ts";
import { bulkCases } from "./cases/bulk.ts";
import { closingCases } from "./cases/closing.ts";
import { connectingCases } from "./cases/connecting.ts";
import { exchangeCases } from "./cases/exchange.ts";
import { faultCases } from "./cases/faults.ts";
import { listeningCases } from "./cases/listening.ts";
import { timerCases } from "./cases/timers.ts";
import { turnEndCases } from "./cases/turn-end.ts";
import { unixSocketCases } from "./cases/unix-sockets.ts";
import { type SuiteOptions, World } from "./world.ts";

/** What the cases of the suite get: a fresh world for each test, and a folder for socket files. */
export interface Scene {
  readonly world: World;
  readonly folder: string;
  readonly options: SuiteOptions;
}

/**
 * The suite that every `Transport` passes. `make` gives a fresh one for each test. Handlers that throw
 * are part of it, so the transport should take its faults quietly.
 */
export function transportSuite(
  name: string,
  make: () => Promise<Transport>,
  options: SuiteOptions = {},
): void {
  describe(`transport ${name}`, () => {
    let world: World;
    let folder: string;
    const scene: Scene = {
      get world() {
        return world;
      },
      get folder() {
        return folder;
      },
      options,
    };

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), "millrace-"));
      world = new World(await make(), options);
    });
    afterEach(async () => {
      await world.finish();
      rmSync(folder, { recursive: true, force: true });
    });

    describe("listening", () => listeningCases(scene));
    if (options.unix !== false) describe("unix sockets", () => unixSocketCases(scene));
    describe("connecting", () => connectingCases(scene));
    describe("exchange", () => exchangeCases(scene));
    describe("bulk", () => bulkCases(scene));
    describe("closing", () => closingCases(scene));
    describe("backpressure", () => backpressureCases(scene));
    describe("timers", () => timerCases(scene));
    describe("end of a turn", () => turnEndCases(scene));
    describe("faults", () => faultCases(scene));
  });
}
