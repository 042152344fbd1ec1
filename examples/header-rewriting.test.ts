import { expect, test } from "vitest";
import { App, startExample } from "./testing/running.ts";

test("header rewriting: fields are added, replaced and removed in both directions", async () => {
  await using app = await App.start((_request, response) => {
    response.setHeader("Server", "secretive/1.0");
    response.setHeader("X-Kept", "yes");
    response.end("page");
  });
  await using example = await startExample("header-rewriting.ts", { APP: app.address });
  const headers = { Cookie: "session=1", "X-Gateway": "forged", Accept: "text/html" };
  const response = await fetch(example.url, { headers });

  expect(await response.text()).toBe("page");
  expect(response.headers.get("server")).toBeNull();
  expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000");
  expect(response.headers.get("x-kept")).toBe("yes");
  const [received] = app.received;
  expect(received?.headers["x-gateway"]).toBe("millrace");
  expect(received?.headers.cookie).toBeUndefined();
  expect(received?.headers.accept).toBe("text/html");
});
