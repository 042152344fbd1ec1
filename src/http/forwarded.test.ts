import { describe, expect, it } from "vitest";
import { forwardedElement } from "./forwarded.ts";

describe("forwarded element", () => {
  it("IPv4 and token values: as they are", () => {
    expect(forwardedElement({ for: "192.0.2.1", proto: "http" })).toBe("for=192.0.2.1;proto=http");
  });

  it("IPv6: in brackets and quotes", () => {
    expect(
      forwardedElement({ for: "2001:db8::1", by: "::1", host: "a.example", proto: "https" }),
    ).toBe('for="[2001:db8::1]";by="[::1]";host=a.example;proto=https');
  });

  it("a host with a port, quotes or a backslash: quoted and escaped", () => {
    expect(forwardedElement({ for: "192.0.2.1", host: "a:80", proto: "http" })).toContain(
      ';host="a:80";',
    );
    expect(forwardedElement({ for: "192.0.2.1", host: 'a"\\;for=b', proto: "http" })).toContain(
      ';host="a\\"\\\\;for=b";',
    );
  });

  it("no address, no host: unknown, and left out", () => {
    expect(forwardedElement({ for: null, by: null, host: null, proto: "http" })).toBe(
      "for=unknown;proto=http",
    );
    expect(forwardedElement({ for: "", host: "", proto: "http" })).toBe("for=unknown;proto=http");
  });
});
