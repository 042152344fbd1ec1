import { expect, test } from "vitest";
import { AddressTable } from "./address-table.ts";
import { Ip } from "./ip-address.ts";
import { Prefix } from "./prefix.ts";

const prefix = (text: string): Prefix => Prefix.parse(text)!;

test("an address table, changed, tells its listeners after the change", () => {
  const table = new AddressTable(4);
  const heard: string[] = [];
  table.watch({
    onAddressAdded: (a) => heard.push(`added ${a.ip} ${a.state} of ${table.all.length}`),
    onAddressChanged: (a, before) => heard.push(`${before} to ${a.state}`),
    onAddressRemoved: (a) => heard.push(`removed ${a.ip} of ${table.all.length}`),
  });
  const entry = table.add(prefix("fd07::2/64"), "static", "tentative")!;
  expect(entry.assigned).toBe(false);
  table.setState(entry, "preferred");
  table.setState(entry, "preferred");
  expect(entry.assigned).toBe(true);
  table.remove(entry.ip);
  expect(table.remove(entry.ip)).toBeNull();
  expect(heard).toEqual([
    "added fd07::2 tentative of 1",
    "tentative to preferred",
    "removed fd07::2 of 0",
  ]);
});

test("an address table, full or given an address twice, refuses", () => {
  const table = new AddressTable(2);
  expect(table.add(prefix("10.0.0.1/24"), "static", "preferred")).not.toBeNull();
  expect(table.add(prefix("10.0.0.1/16"), "dhcp", "preferred")).toBeNull();
  expect(table.add(prefix("10.0.0.2/24"), "static", "preferred")).not.toBeNull();
  expect(table.add(prefix("10.0.0.3/24"), "static", "preferred")).toBeNull();
  const ip = Ip.parse("10.0.0.2")!;
  expect(table.findWords(ip.w0, ip.w1, ip.w2, ip.w3)?.ip.equals(ip)).toBe(true);
});
