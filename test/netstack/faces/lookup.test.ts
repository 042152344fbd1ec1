import { describe, expect, test } from "vitest";
import { nodeNet } from "../../../src/netstack/node/public.ts";
import { world } from "./world.ts";

type Found = readonly [Error | null, unknown, unknown?];

function names(resolve?: (name: string, family: number) => Promise<readonly string[]>) {
  const { stacks } = world();
  const hosts = { "Both.test.": ["10.0.0.2", "2001:db8::2"], "six.test": ["2001:db8::2"] };
  const net = nodeNet(stacks.client, { hosts, ...(resolve === undefined ? {} : { resolve }) });
  return (name: string, options: object = {}) =>
    new Promise<Found>((done) =>
      net.lookup(name, options, (error, address, family) => done([error, address, family])),
    );
}

describe("lookup", () => {
  test("literals and localhost need nobody", async () => {
    const lookup = names(() => Promise.reject(new Error("asked")));
    expect(await lookup("10.1.2.3")).toEqual([null, "10.1.2.3", 4]);
    expect(await lookup("::1", { family: 4 })).toEqual([null, "::1", 6]);
    expect(await lookup("localhost", { family: 4 })).toEqual([null, "127.0.0.1", 4]);
    expect(await lookup("LOCALHOST", { family: 6 })).toEqual([null, "::1", 6]);
  });

  test("the hosts table, whatever the case, comes before the resolver", async () => {
    const lookup = names(async () => ["192.0.2.1"]);
    expect(await lookup("BOTH.test", { family: 4 })).toEqual([null, "10.0.0.2", 4]);
    expect(await lookup("other.test")).toEqual([null, "192.0.2.1", 4]);
  });

  test("all addresses, by RFC 6724, or the family that is wanted first", async () => {
    const lookup = names();
    const four = { address: "10.0.0.2", family: 4 };
    const six = { address: "2001:db8::2", family: 6 };
    expect((await lookup("both.test", { all: true }))[1]).toHaveLength(2);
    expect((await lookup("both.test", { all: true, order: "ipv4first" }))[1]).toEqual([four, six]);
    expect((await lookup("both.test", { all: true, order: "ipv6first" }))[1]).toEqual([six, four]);
    expect((await lookup("both.test", { all: true, verbatim: false }))[1]).toEqual([four, six]);
  });

  test("nothing of the family, no such name, a resolver that fails: errors with their codes", async () => {
    const lookup = names(async (name) => {
      if (name === "broken.test") throw Object.assign(new Error("no"), { code: "ESERVFAIL" });
      return [];
    });
    expect((await lookup("six.test", { family: 4 }))[0]).toMatchObject({ code: "ENOTFOUND" });
    expect((await lookup("none.test"))[0]).toMatchObject({
      message: "getaddrinfo ENOTFOUND none.test",
      hostname: "none.test",
    });
    expect((await lookup("broken.test"))[0]).toMatchObject({
      message: "getaddrinfo ESERVFAIL broken.test",
      hostname: "broken.test",
    });
  });

  test("a table with something that is no address is refused", () => {
    const { stacks } = world();
    expect(() => nodeNet(stacks.client, { hosts: { x: ["y"] } })).toThrow("x: no address: y");
  });
});
