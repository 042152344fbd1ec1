import { expect, test } from "vitest";
import { trimHeap } from "./heap.ts";
import { nativeAvailable } from "./libc.ts";

test("heap with freed buffers, trimmed: says that memory went back, and again does no harm", ({
  skip,
}) => {
  if (nativeAvailable() !== null) skip("no native functions here");
  let buffers: Uint8Array[] | null = [];
  for (let i = 0; i < 200; i++) buffers.push(Buffer.allocUnsafeSlow(60_000).fill(1));
  buffers = null;
  expect(typeof trimHeap()).toBe("boolean");
  expect(typeof trimHeap()).toBe("boolean");
});
