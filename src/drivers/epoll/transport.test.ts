import { expect, test } from "vitest";
import { nativeAvailable } from "../../native/libc.ts";
import { transportSuite } from "../testing/transport-suite.ts";
import { createEpollTransport } from "./transport.ts";

if (nativeAvailable() === null) {
  transportSuite("epoll", async () => createEpollTransport({ seed: 1, onFault: () => {} }));
} else {
  test("a platform without native functions, a transport is made, it says why not", () => {
    expect(() => createEpollTransport({ onFault: () => {} })).toThrow("epoll driver: it needs");
  });
}
