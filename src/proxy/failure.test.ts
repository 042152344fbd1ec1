import { describe, expect, it } from "vitest";
import { type ErrorCode, type ErrorSource, NetError } from "../core/errors.ts";
import { type AttemptState, hookError, isIdempotent, mayRetry, statusOf } from "./failure.ts";

const error = (code: ErrorCode, source: ErrorSource, status?: number): NetError =>
  new NetError(code, code, { source, ...(status !== undefined && { status }) });

describe("statusOf", () => {
  it.each<[ErrorCode, ErrorSource, number]>([
    ["HEAD_TIMEOUT", "downstream", 408],
    ["BODY_TIMEOUT", "downstream", 408],
    ["BODY_TOO_LARGE", "downstream", 413],
    ["TARGET_TOO_LONG", "downstream", 414],
    ["HEAD_TOO_LARGE", "downstream", 431],
    ["HEAD_TOO_LARGE", "upstream", 502],
    ["MALFORMED_MESSAGE", "downstream", 400],
    ["MALFORMED_MESSAGE", "upstream", 502],
    ["UNSUPPORTED", "downstream", 501],
    ["UNSUPPORTED", "upstream", 502],
    ["PLAIN_ON_TLS", "downstream", 400],
    ["NO_ROUTE", "internal", 404],
    ["NO_ENDPOINT", "upstream", 503],
    ["CONNECTION_LIMIT", "internal", 503],
    ["ECONNREFUSED", "upstream", 502],
    ["ECONNRESET", "upstream", 502],
    ["PREMATURE_CLOSE", "upstream", 502],
    ["CONNECT_TIMEOUT", "upstream", 504],
    ["FIRST_BYTE_TIMEOUT", "upstream", 504],
    ["BETWEEN_BYTES_TIMEOUT", "upstream", 504],
    ["TOTAL_TIMEOUT", "upstream", 504],
    ["HOOK_FAILED", "internal", 500],
    ["INTERNAL", "internal", 500],
  ])("%s of the %s: %i", (code, source, status) => {
    expect(statusOf(error(code, source))).toBe(status);
  });

  it("a client that is gone: nobody is answered", () => {
    expect(statusOf(error("ECONNRESET", "downstream"))).toBe(0);
    expect(statusOf(error("ABORTED", "downstream"))).toBe(0);
  });

  it("an error with a status of its own: that one", () => {
    expect(statusOf(error("MALFORMED_MESSAGE", "downstream", 417))).toBe(417);
  });
});

describe("mayRetry", () => {
  const state = (changes: Partial<AttemptState> = {}): AttemptState => ({
    attempts: 1,
    maxAttempts: 2,
    reused: false,
    sent: false,
    responded: false,
    replayable: true,
    idempotent: true,
    nonIdempotentAllowed: false,
    ...changes,
  });
  const retry = (kind: "never" | "always" | "if-reused"): NetError =>
    new NetError("ECONNRESET", "", { source: "upstream", retry: kind });

  it("a connection that never stood: again, whatever the method", () => {
    expect(mayRetry(retry("always"), state())).toBe(true);
    expect(mayRetry(retry("always"), state({ idempotent: false }))).toBe(true);
  });

  it("a request that the server says it did not touch: again, whatever the method", () => {
    expect(mayRetry(retry("always"), state({ sent: true, idempotent: false }))).toBe(true);
  });

  it("no attempt left: not again", () => {
    expect(mayRetry(retry("always"), state({ attempts: 2 }))).toBe(false);
  });

  it("a reused connection that died silently: again, if the method allows it", () => {
    const died = { reused: true, sent: true };
    expect(mayRetry(retry("if-reused"), state(died))).toBe(true);
    expect(mayRetry(retry("if-reused"), state({ ...died, idempotent: false }))).toBe(false);
    const allowed = { ...died, idempotent: false, nonIdempotentAllowed: true };
    expect(mayRetry(retry("if-reused"), state(allowed))).toBe(true);
  });

  it("a fresh connection that died silently: not again", () => {
    expect(mayRetry(retry("if-reused"), state({ sent: true }))).toBe(false);
  });

  it("a response had begun, or the body was not kept: not again", () => {
    expect(mayRetry(retry("always"), state({ responded: true }))).toBe(false);
    expect(mayRetry(retry("always"), state({ replayable: false }))).toBe(false);
  });

  it("an error that forbids it: not again", () => {
    expect(mayRetry(retry("never"), state({ reused: true }))).toBe(false);
  });
});

it("methods: RFC 9110 §9.2.2's are idempotent, others and unknown ones are not", () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]) {
    expect(isIdempotent(method)).toBe(true);
  }
  for (const method of ["POST", "PATCH", "CONNECT", "get", "PURGE"]) {
    expect(isIdempotent(method)).toBe(false);
  }
});

it("what a hook threw: a NetError stays what it is, all else becomes HOOK_FAILED with its cause", () => {
  const own = error("NO_ROUTE", "internal");
  expect(hookError("requestFilter", own)).toBe(own);
  const cause = new RangeError("too far");
  const made = hookError("requestFilter", cause);
  expect(made.code).toBe("HOOK_FAILED");
  expect(made.message).toBe("requestFilter failed: too far");
  expect(made.cause).toBe(cause);
  expect(hookError("logging", "text").message).toBe("logging failed: text");
});
