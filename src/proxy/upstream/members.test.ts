import { describe, expect, it } from "vitest";
import { type IpAddress, parseIp } from "../../core/address.ts";
import { endpointSettings } from "./fixture.ts";
import { listMembers } from "./members.ts";

const list = (endpoints: readonly string[], names: Record<string, readonly string[]> = {}) => {
  const addressesOf = (host: string) => (names[host] ?? []).map((ip) => parseIp(ip)!);
  const members = listMembers(endpoints.map(endpointSettings), addressesOf);
  return [...members.values()].map(({ name, address, weight }) => {
    const place =
      address.kind === "ip" ? `${address.ip as IpAddress} ${address.port}` : address.path;
    return `${name} = ${place} * ${weight}`;
  });
};

describe("listMembers", () => {
  it("addresses: each is a member under its own name", () => {
    expect(list(["127.0.0.1:80*2", "[::1]:81", "unix:/run/app.sock"])).toEqual([
      "127.0.0.1:80 = 127.0.0.1 80 * 2",
      "[::1]:81 = ::1 81 * 1",
      "unix:/run/app.sock = /run/app.sock * 1",
    ]);
  });

  it("a name: each of its addresses is a member with the name's weight", () => {
    expect(list(["app:80*3", "10.0.0.9:80"], { app: ["10.0.0.1", "::2"] })).toEqual([
      "app:80 = 10.0.0.1 80 * 3",
      "app:80 = ::2 80 * 3",
      "10.0.0.9:80 = 10.0.0.9 80 * 1",
    ]);
  });

  it("an address that the resolver gives twice: one member with the weight once", () => {
    expect(list(["app:80*3"], { app: ["10.0.0.1", "10.0.0.1"] })).toEqual([
      "app:80 = 10.0.0.1 80 * 3",
    ]);
  });

  it("the same place configured twice: one member with the weights' sum", () => {
    expect(list(["10.0.0.1:80*2", "10.0.0.1:80*3"])).toEqual(["10.0.0.1:80 = 10.0.0.1 80 * 5"]);
  });

  it("two names with the same address: two members, since each has a Host of its own", () => {
    expect(list(["a:80", "b:80"], { a: ["10.0.0.1"], b: ["10.0.0.1"] })).toHaveLength(2);
  });

  it("a name without addresses: nobody", () => {
    expect(list(["app:80"])).toEqual([]);
  });
});
