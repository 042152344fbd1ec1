import { describe, expect, it } from "vitest";
import { type SharedConnection, SharedConnections } from "./shared-connections.ts";

class Connection implements SharedConnection {
  listed = false;
  room: number;
  retired = 0;

  constructor(room: number) {
    this.room = room;
  }

  get idle(): boolean {
    return this.room === 3;
  }

  retire(): void {
    this.retired++;
  }
}

describe("shared connections", () => {
  it("several with room: the one that came last, until it is full", () => {
    const all = new SharedConnections();
    const [a, b] = [new Connection(3), new Connection(1)];
    all.add(a);
    all.add(b);
    expect(all.find()).toBe(b);
    b.room = 0;
    expect(all.find()).toBe(a);
    a.room = 0;
    expect(all.find()).toBeNull();
  });

  it("one that was full: found again once it is offered", () => {
    const all = new SharedConnections();
    const a = new Connection(0);
    all.add(a);
    expect(all.find()).toBeNull();
    a.room = 1;
    all.offer(a);
    all.offer(a);
    expect(all.find()).toBe(a);
    a.room = 0;
    expect(all.find()).toBeNull();
  });

  it("one that was removed: neither found nor taken again", () => {
    const all = new SharedConnections();
    const [a, b] = [new Connection(3), new Connection(2)];
    all.add(a);
    all.add(b);
    all.remove(b);
    expect([all.size, all.idle, all.find()]).toEqual([1, 1, a]);
    all.offer(b);
    expect(all.find()).toBe(a);
    all.retire();
    expect([a.retired, b.retired]).toEqual([1, 0]);
  });
});
