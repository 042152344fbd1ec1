import { expect, it } from "vitest";
import { NetError } from "./errors.ts";

it("an error says what, whose fault, whether to retry, and why", () => {
  const cause = new Error("socket");
  const error = new NetError("ECONNRESET", "reset by peer", {
    source: "upstream",
    retry: "if-reused",
    cause,
    status: 502,
  });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: "NetError",
    code: "ECONNRESET",
    message: "reset by peer",
    source: "upstream",
    retry: "if-reused",
    cause,
    status: 502,
  });
});

it("left out: no retry, no status, and no cause at all", () => {
  const error = new NetError("INTERNAL", "broken", { source: "internal" });
  expect(error.retry).toBe("never");
  expect(error.status).toBeUndefined();
  expect("cause" in error).toBe(false);
});
