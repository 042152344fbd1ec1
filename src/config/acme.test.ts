import { describe, expect, test } from "vitest";
import { describeConfig } from "./describe.ts";
import { formatProblems } from "./problem.ts";
import { inListener, load, problems } from "./testing/files.ts";

const told = (text: string): string => formatProblems(problems(text));
const acme = (more: string): string => inListener(`tls: { acme: { ${more} } }`);

describe("acme", () => {
  test("names alone: the defaults, each name a certificate of its own", () => {
    const { config } = load(
      acme("names: [one.test, [Two.test, www.two.test]], agreeToTerms: true"),
    );
    expect(config.listeners[0]!.acme).toEqual({
      directory: "https://acme-v02.api.letsencrypt.org/directory",
      email: null,
      certificates: [["one.test"], ["two.test", "www.two.test"]],
      challenge: "tls-alpn-01",
      storage: "acme",
      ca: null,
      renewBefore: null,
    });
    expect(config.listeners[0]!.settings.tls).toMatchObject({ certificates: [] });
    expect(config.listeners[0]!.settings.tls).not.toHaveProperty("acme");
  });

  test("in the description, durations are words", () => {
    const text = acme("names: [one.test], agreeToTerms: true, renewBefore: 30d");
    const description = describeConfig(load(text.replace("30d", "720h")).config);
    expect(description.listeners).toMatchObject([
      { tls: { acme: { challenge: "tls-alpn-01", renewBefore: expect.any(String) } } },
    ]);
  });

  test.each([
    ["names: [one.test]", /agreeToTerms: .*expected true, once you have read/],
    ["names: [one.test], agreeToTerms: false", /expected true, once you have read/],
    ["names: [], agreeToTerms: true", /at least one name/],
    ['names: ["*.one.test"], agreeToTerms: true', /names\[0\]/],
    ["names: [192.0.2.1], agreeToTerms: true", /names\[0\]/],
    ["names: [one.test, [www.one.test, One.test]], agreeToTerms: true", /for a second time/],
    ["names: [one.test], agreeToTerms: true, directory: http://a.test", /an https:\/\/ URL/],
    ["names: [one.test], agreeToTerms: true, email: me", /a mail address/],
    ["names: [one.test], agreeToTerms: true, challenge: dns-01", /challenge/],
    ["names: [one.test], agreeToTerms: true, challenge: http-01", /no listener speaks plain HTTP/],
  ])("%s: a mistake is pointed at", (text, expected) => expect(told(acme(text))).toMatch(expected));

  test("no certificate and no acme: both ways out are told", () => {
    expect(told(inListener("tls: {}"))).toMatch(
      /tls without a certificate, expected `certificates`/,
    );
  });
});
