import fc from "fast-check";
import { expect, test } from "vitest";
import { Ip } from "../ip-address.ts";
import { TestContext } from "../link/testing/test-context.ts";
import { GroupTable, type Membership } from "./group-table.ts";
import { acceptsSource, mergeFilters, type SourceFilter } from "./source-filter.ts";

const ip = (text: string): Ip => Ip.parse(text)!;
const GROUP = ip("239.1.2.3");
const sources = (...last: number[]): Ip[] => last.map((n) => Ip.v4(0x0a00_0000 + n));
const include = (...last: number[]): SourceFilter => ({
  mode: "include",
  sources: sources(...last),
});
const exclude = (...last: number[]): SourceFilter => ({
  mode: "exclude",
  sources: sources(...last),
});

test("new table: member of what every node is a member of, and of nothing else", () => {
  const table = new GroupTable(new TestContext(), "eth0");
  expect(["224.0.0.1", "ff02::1", "ff01::1"].every((group) => table.has(ip(group)))).toBe(true);
  expect(table.has(GROUP)).toBe(false);
  expect(table.size).toBe(0);
});

test("joined twice: left with the second leave, each told once", () => {
  const context = new TestContext();
  const table = new GroupTable(context, "eth0");
  table.join(GROUP);
  table.join(GROUP);
  expect(table.leave(GROUP)).toBe(true);
  expect(table.hasWords(GROUP.w0, GROUP.w1, GROUP.w2, GROUP.w3)).toBe(true);
  expect(table.leave(GROUP)).toBe(true);
  expect(table.has(GROUP)).toBe(false);
  expect(table.leave(GROUP)).toBe(false);
  expect(context.events).toEqual([
    { kind: "group-joined", interface: "eth0", group: "239.1.2.3" },
    { kind: "group-left", interface: "eth0", group: "239.1.2.3" },
  ]);
});

test("membership left twice: the others stay", () => {
  const table = new GroupTable(new TestContext(), "eth0");
  const first = table.join(GROUP)!;
  table.join(GROUP);
  first.leave();
  first.leave();
  expect(table.has(GROUP)).toBe(true);
});

test("refused: no group, no wanted source, too many sources, too many groups", () => {
  const table = new GroupTable(
    new TestContext({ groupsPerInterface: 2, sourcesPerFilter: 2 }),
    "eth0",
  );
  expect(table.join(ip("10.0.0.1"))).toBeNull();
  expect(table.join(GROUP, include())).toBeNull();
  expect(table.join(GROUP, include(1, 2, 3))).toBeNull();
  const groups = [1, 2, 3].map((n) => table.join(Ip.v4(0xef00_0000 + n)));
  expect(groups.map((one) => one !== null)).toEqual([true, true, false]);
  expect(table.size).toBe(2);
});

// RFC 3376 §3.2, whose examples these are.
test.each([
  [[exclude(1, 2, 3, 4), exclude(2, 3, 4, 5), include(4, 5, 6)], exclude(2, 3)],
  [[include(1, 2, 3), include(2, 3, 4), include(5, 6)], include(1, 2, 3, 4, 5, 6)],
  [[exclude(1), exclude()], exclude()],
])("filters %#: merged as the RFC has it", (filters, merged) => {
  const result = mergeFilters(filters);
  expect(result.mode).toBe(merged.mode);
  expect(result.sources.map(String).sort()).toEqual(merged.sources.map(String).sort());
});

test("merged filter: accepts a source exactly where one of its parts does", () => {
  const filter = fc.record({
    mode: fc.constantFrom("include" as const, "exclude" as const),
    sources: fc.uniqueArray(fc.nat(8), { maxLength: 5 }).map((list) => sources(...list)),
  });
  const law = (filters: SourceFilter[]): void => {
    const merged = mergeFilters(filters);
    for (const one of sources(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)) {
      expect(acceptsSource(merged, one)).toBe(filters.some((part) => acceptsSource(part, one)));
    }
  };
  fc.assert(fc.property(fc.array(filter, { minLength: 1, maxLength: 5 }), law), { seed: 1 });
});

test("any joins and leaves: has() is what a plain count says", () => {
  const step = fc.record({ group: fc.nat(5), join: fc.boolean() });
  const law = (steps: { group: number; join: boolean }[]): void => {
    const table = new GroupTable(new TestContext(), "eth0");
    const held: Membership[][] = [[], [], [], [], [], []];
    for (const { group, join } of steps) {
      if (join) held[group]!.push(table.join(Ip.v6(0xff05_0000, 0, 0, group))!);
      else held[group]!.pop()?.leave();
      for (const [i, list] of held.entries()) {
        expect(table.has(Ip.v6(0xff05_0000, 0, 0, i))).toBe(list.length > 0);
      }
      expect(table.size).toBe(held.filter((list) => list.length > 0).length);
    }
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), law), { seed: 2 });
});
