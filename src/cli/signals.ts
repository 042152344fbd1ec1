export type StopSignal = "SIGTERM" | "SIGINT";

export interface SignalActions {
  /** SIGTERM: finish what is under way. */
  drain(): void;
  /** SIGINT: finish what is nearly done. */
  stop(): void;
  /** SIGHUP. */
  reload(): void;
  /** A second SIGTERM or SIGINT. */
  quit(signal: StopSignal): void;
}

/** A terminal's Ctrl-C reaches the process once from the terminal and once through npm or a shell. */
const echoMs = 200;

/** Turns signals into actions: the first SIGTERM or SIGINT stops, a second one quits at once. */
export function handleSignals(actions: SignalActions): void {
  let first: number | null = null;
  const stopping = (signal: StopSignal, act: () => void): void => {
    process.on(signal, () => {
      const now = performance.now();
      if (first === null) {
        first = now;
        act();
      } else if (now - first >= echoMs) {
        actions.quit(signal);
      }
    });
  };
  stopping("SIGTERM", actions.drain);
  stopping("SIGINT", actions.stop);
  process.on("SIGHUP", actions.reload);
}
