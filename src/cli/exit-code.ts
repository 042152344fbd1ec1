/** What the process ends with. */
export const ExitCode = {
  /** Served and drained, or did what was asked. */
  ok: 0,
  /** Could not run: an address is taken, a worker did not start, a file cannot be written. */
  failure: 1,
  /** Was asked wrongly: flags or configuration. Nothing was bound. */
  usage: 2,
  /** Ended by a second signal before the work was done: this plus the signal's number. */
  signalled: 128,
} as const;
