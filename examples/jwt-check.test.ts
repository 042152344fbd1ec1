import { SignJWT, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import { App, startExample } from "./testing/running.ts";

const secret = "a secret of more than thirty-two characters";

const token = (key: string, expires: string, subject = "ann"): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(subject)
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(key));

test("JWT check: valid tokens pass with their subject, all others get 401 and reach nobody", async () => {
  await using app = await App.start();
  const env = { APP: app.address, JWT_SECRET: secret };
  await using example = await startExample("jwt-check.ts", env);
  const ask = (authorization?: string) =>
    fetch(example.url, {
      headers: { "X-Subject": "root", ...(authorization && { Authorization: authorization }) },
    });

  const valid = await ask(`Bearer ${await token(secret, "1h", "ann ö")}`);
  expect(valid.status).toBe(200);
  expect(app.received).toHaveLength(1);
  expect(app.received[0]?.headers["x-subject"]).toBe("ann%20%C3%B6");
  expect(app.received[0]?.headers.authorization).toBeUndefined();

  const missing = await ask();
  expect([missing.status, missing.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  const basic = await ask("Basic YTpi");
  expect([basic.status, basic.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);

  const wrong = [
    await token(secret, "-1s"),
    await token(`not ${secret}`, "1h"),
    `${await token(secret, "1h")}x`,
    new UnsecuredJWT().setSubject("ann").setExpirationTime("1h").encode(),
    "nonsense",
  ];
  for (const bad of wrong) {
    const response = await ask(`Bearer ${bad}`);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
  }
  expect(app.received).toHaveLength(1);
});

test("JWT check: without a secret, does not start and says why", async () => {
  const starting = startExample("jwt-check.ts", { JWT_SECRET: "short" });
  await expect(starting).rejects.toThrow(/set JWT_SECRET to at least 32 characters/);
});
