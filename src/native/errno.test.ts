import { constants } from "node:os";
import { describe, expect, it } from "vitest";
import * as errno from "./errno.ts";

const numbers = Object.entries(errno).filter((entry) => typeof entry[1] === "number");

describe("error numbers", () => {
  it.runIf(process.platform === "linux").each(numbers)("%s is the system's %i", (name, value) => {
    expect(constants.errno[name as keyof typeof constants.errno]).toBe(value);
  });

  it("known, turned into an error: has its code", () => {
    const error = errno.systemError(
      errno.ECONNREFUSED,
      "connect 10.0.0.1:80",
      "upstream",
      "always",
    );
    expect(error).toMatchObject({ code: "ECONNREFUSED", source: "upstream", retry: "always" });
    expect(error.message).toBe("connect 10.0.0.1:80: ECONNREFUSED");
  });

  it("unknown, turned into an error: ESOCKET with the number in the message", () => {
    const error = errno.systemError(75, "send", "downstream");
    expect(error).toMatchObject({ code: "ESOCKET", message: "send: errno 75" });
  });
});
