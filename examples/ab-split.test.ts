import { expect, test } from "vitest";
import { App, startExample } from "./testing/running.ts";

test("A/B split: clients without a cookie get either variant and a cookie that keeps them there", async () => {
  await using a = await App.start((_request, response) => response.end("a"));
  await using b = await App.start((_request, response) => response.end("b"));
  await using example = await startExample("ab-split.ts", { APP_A: a.address, APP_B: b.address });

  const count = { a: 0, b: 0 };
  // Of 300 about 30 go to b; that none does has a chance of 2 in 100 million million.
  for (let i = 0; i < 300; i++) {
    const response = await fetch(example.url);
    const variant = (await response.text()) as "a" | "b";
    count[variant]++;
    expect(response.headers.get("set-cookie")).toMatch(new RegExp(`^variant=${variant}; Path=/;`));
  }
  expect(count.a + count.b).toBe(300);
  expect(count.b).toBeGreaterThan(0);
  expect(count.a).toBeGreaterThan(count.b);

  for (const variant of ["a", "b"]) {
    for (let i = 0; i < 10; i++) {
      const response = await fetch(example.url, { headers: { Cookie: `x=1; variant=${variant}` } });
      expect(await response.text()).toBe(variant);
      expect(response.headers.get("set-cookie")).toBeNull();
    }
  }

  const strange = await fetch(example.url, { headers: { Cookie: "variant=c" } });
  expect(strange.headers.get("set-cookie")).toMatch(/^variant=[ab];/);
});
