import { expect, test } from "vitest";
import { nativeAvailable } from "../native/libc.ts";
import { banner } from "./banner.ts";
import { planProxy } from "./plan-proxy.ts";

async function bannerOf(listen: string, stack?: string): Promise<string> {
  const args = { listen: [listen], to: ["10.7.0.1:9000"], cert: [], key: [], admin: "off" };
  const plan = await planProxy(stack === undefined ? args : { ...args, stack });
  if (plan.kind !== "proxy") throw new Error(`not a proxy: ${plan.kind}`);
  return banner({ plan, config: plan.config, version: "1", admin: null, demo: null }, false);
}

test("a wildcard: shown as the loopback address, by which it is tried", async () => {
  const text = await bannerOf("0.0.0.0:8080");
  expect(text).toContain("listener  http://127.0.0.1:8080/");
  expect(text).toContain("curl http://127.0.0.1:8080/");
});

test.skipIf(nativeAvailable() !== null).each([
  ["0.0.0.0:80", "tap=t,address=fd07::2/64,address=10.7.0.2/24", "http://10.7.0.2:80/"],
  ["[::]:80", "tap=t,address=10.7.0.2/24,address=fd07::2/64", "http://[fd07::2]:80/"],
  ["*:80", "tap=t,address=10.7.0.2/24", "http://10.7.0.2:80/"],
])(
  "%s on a stack of its own, %s: shown as its address, not as the kernel's loopback",
  async (listen, stack, url) => {
    const text = await bannerOf(listen, stack);
    expect(text).toContain(`listener  ${url}`);
    expect(text).toContain(`curl ${url}`);
    expect(text).not.toContain("127.0.0.1");
  },
);
