import type { LogLevel } from "../config/effective.ts";

type Severity = Exclude<LogLevel, "silent">;

const ranks: Readonly<Record<LogLevel, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: 100,
};

/** What the process says of itself: a line each on standard error, readable by people. */
export class Report {
  readonly #write: (text: string) => void;
  readonly #least: number;

  constructor(write: (text: string) => void, level: LogLevel) {
    this.#write = write;
    this.#least = ranks[level];
  }

  info(text: string): void {
    this.#say("info", text);
  }

  warn(text: string): void {
    this.#say("warn", text);
  }

  error(text: string): void {
    this.#say("error", text);
  }

  #say(severity: Severity, text: string): void {
    if (ranks[severity] < this.#least) return;
    const mark = severity === "info" ? "" : `${severity}: `;
    this.#write(`millrace: ${mark}${text}\n`);
  }
}

/** The stack of an error with its causes, or the value itself in words. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? text : `${text}\n  caused by: ${describeError(error.cause)}`;
}
