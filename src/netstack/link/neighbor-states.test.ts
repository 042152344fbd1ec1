import { describe, expect, test } from "vitest";
import type { NeighborState } from "../events.ts";
import {
  A,
  B,
  type EventName,
  events,
  fixture,
  peer,
  peer4,
  reach,
} from "./testing/neighbor-fixture.ts";

/** RFC 4861 appendix C, and §7.2.5 where they differ: state and link address after the event. */
const rows: Record<NeighborState | "none", Record<EventName, string>> = {
  none: {
    "packet to send": "incomplete -",
    "na s0 o0 same": "none",
    "na s0 o0 other": "none",
    "na s0 o1 same": "none",
    "na s0 o1 other": "none",
    "na s1 o0 same": "none",
    "na s1 o0 other": "none",
    "na s1 o1 same": "none",
    "na s1 o1 other": "none",
    "na s1 without address": "none",
    "na s0 without address": "none",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "none",
    "last timeout": "none",
  },
  incomplete: {
    "packet to send": "incomplete -",
    "na s0 o0 same": "stale A",
    "na s0 o0 other": "stale B",
    "na s0 o1 same": "stale A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "reachable B",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "incomplete -",
    "na s0 without address": "incomplete -",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "incomplete -",
    "last timeout": "failed -",
  },
  reachable: {
    "packet to send": "reachable A",
    "na s0 o0 same": "reachable A",
    "na s0 o0 other": "stale A",
    "na s0 o1 same": "reachable A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "stale A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "reachable A",
    "ns same": "reachable A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "stale A",
  },
  stale: {
    "packet to send": "delay A",
    "na s0 o0 same": "stale A",
    "na s0 o0 other": "stale A",
    "na s0 o1 same": "stale A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "stale A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "stale A",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "stale A",
  },
  delay: {
    "packet to send": "delay A",
    "na s0 o0 same": "delay A",
    "na s0 o0 other": "delay A",
    "na s0 o1 same": "delay A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "delay A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "delay A",
    "ns same": "delay A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "probe A",
  },
  probe: {
    "packet to send": "probe A",
    "na s0 o0 same": "probe A",
    "na s0 o0 other": "probe A",
    "na s0 o1 same": "probe A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "probe A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "probe A",
    "ns same": "probe A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "failed -",
  },
  failed: {
    "packet to send": "failed -",
    "na s0 o0 same": "stale A",
    "na s0 o0 other": "stale B",
    "na s0 o1 same": "stale A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "stale A",
    "na s1 o0 other": "stale B",
    "na s1 o1 same": "stale A",
    "na s1 o1 other": "stale B",
    "na s1 without address": "failed -",
    "na s0 without address": "failed -",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "failed -",
    "last timeout": "none",
  },
  permanent: Object.fromEntries(
    Object.keys(events).map((event) => [event, "permanent A"]),
  ) as Record<EventName, string>,
};

const cases = Object.entries(rows).flatMap(([state, row]) =>
  Object.entries(row).map(([event, outcome]) => [state, event, outcome] as const),
);

describe.each([peer, peer4])("states of %s", (ip) => {
  test.each(cases)("%s: %s makes it %s", (state, event, outcome) => {
    const f = fixture();
    reach[state as NeighborState](f, ip);
    expect(f.state(ip)).toBe(state);
    events[event as EventName](f, ip);
    const neighbor = f.table.find(ip);
    const mac = neighbor?.mac === A ? "A" : neighbor?.mac === B ? "B" : "-";
    expect(neighbor === null ? "none" : `${neighbor.state} ${mac}`).toBe(outcome);
    expect(neighbor?.ready ?? false).toBe(/reachable|delay|probe|permanent/.test(outcome));
  });
});
