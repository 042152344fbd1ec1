import { fstatSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DescriptorLog } from "./descriptor-log.ts";
import { nativeAvailable } from "./libc.ts";

describe.runIf(nativeAvailable() === null)("descriptor log", () => {
  it("descriptors opened and some closed, all closed: the rest is closed, once", () => {
    const memory = DescriptorLog.allocate();
    const log = new DescriptorLog(memory);
    const [left, kept] = [openSync("/dev/null", "r"), openSync("/dev/null", "r")];
    log.opened(left);
    log.opened(kept);
    log.closing(kept);
    const heir = new DescriptorLog(memory);
    expect(heir.closeAll()).toBe(1);
    expect(() => fstatSync(left)).toThrow("EBADF");
    expect(fstatSync(kept).isCharacterDevice()).toBe(true);
    expect(heir.closeAll()).toBe(0);
  });

  it("a descriptor past what is noted: is let be", () => {
    const log = new DescriptorLog(DescriptorLog.allocate());
    log.opened(1 << 21);
    log.closing(1 << 21);
    expect(log.closeAll()).toBe(0);
  });
});
