import { expect, test } from "vitest";
import { after, seconds } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";
import { Ip } from "../ip-address.ts";
import { TestContext } from "../link/testing/test-context.ts";
import { NameServerList } from "./name-servers.ts";

const ips = (...texts: string[]): Ip[] => texts.map((text) => Ip.parse(text)!);

test("several sources: DHCP's before routers', each address and domain once", () => {
  const list = new NameServerList(new TestContext());
  list.learn("eth0", ips("2001:db8::1", "10.0.0.53"), ["Example.org"], FOREVER);
  list.replace("eth0", "dhcp4", ips("10.0.0.53"), ["example.org"], FOREVER);
  expect(list.addresses).toEqual(["10.0.0.53", "2001:db8::1"]);
  expect(list.domains).toEqual(["example.org"]);
  list.forget("eth0", "dhcp4");
  expect(list.addresses).toEqual(["2001:db8::1", "10.0.0.53"]);
});

test("full: the one that would expire first goes", () => {
  const context = new TestContext({ nameServers: 2 });
  const list = new NameServerList(context);
  const until = (s: number) => after(context.now(), seconds(s));
  list.learn("eth0", ips("2001:db8::1"), [], until(100));
  list.learn("eth0", ips("2001:db8::2"), [], until(50));
  list.learn("eth0", ips("2001:db8::3"), [], until(80));
  expect(list.addresses).toEqual(["2001:db8::1", "2001:db8::3"]);
});

test("the same told again: no event; another lifetime: expires then", () => {
  const context = new TestContext();
  const list = new NameServerList(context);
  const until = (s: number) => after(context.now(), seconds(s));
  list.learn("eth0", ips("2001:db8::1"), [], until(10));
  list.learn("eth0", ips("2001:db8::1"), [], until(100));
  expect(context.events.length).toBe(1);
  context.pass(99_000);
  expect(list.addresses.length).toBe(1);
  context.pass(1_001);
  expect(list.addresses).toEqual([]);
  expect(context.events.length).toBe(2);
  expect(context.timers).toBe(0);
});

test("what is no server's address: left out", () => {
  const list = new NameServerList(new TestContext());
  list.learn("eth0", ips("::", "ff02::1", "127.0.0.1", "0.0.0.0"), [], FOREVER);
  expect(list.servers).toEqual([]);
});
