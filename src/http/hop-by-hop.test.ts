import { describe, expect, it } from "vitest";
import { Fields } from "./fields.ts";

import { removeHopByHop } from "./hop-by-hop.ts";

const left = (lines: readonly (readonly [string, string])[], keepUpgrade = false): string[] => {
  const fields = new Fields();
  for (const [name, value] of lines) fields.append(name, value);
  removeHopByHop(fields, keepUpgrade);
  return [...fields].map(([name, value]) => `${name}: ${value}`);
};

describe("hop-by-hop fields", () => {
  it("the fixed ones: removed", () => {
    expect(
      left([
        ["Connection", "close"],
        ["Keep-Alive", "timeout=5"],
        ["Proxy-Connection", "keep-alive"],
        ["Transfer-Encoding", "chunked"],
        ["TE", "trailers, deflate"],
        ["Upgrade", "websocket"],
        ["HTTP2-Settings", "AA"],
        ["Accept", "x"],
      ]),
    ).toEqual(["Accept: x"]);
  });

  it("what Connection names, on any of its lines, in any case: removed", () => {
    expect(
      left([
        ["X-A", "1"],
        ["Connection", "keep-alive, x-a ,, X-Not-There"],
        ["X-B", "2"],
        ["x-b", "3"],
        ["connection", "X-B"],
        ["X-C", "4"],
      ]),
    ).toEqual(["X-C: 4"]);
  });

  it("end-to-end fields that the stack acts on: not to be named away", () => {
    const lines = [
      ["Host", "a"],
      ["Content-Length", "1"],
      ["Via", "1.1 x"],
      ["X-Forwarded-For", "::1"],
      ["Cookie", "a=b"],
      ["Authorization", "x"],
      ["Expect", "100-continue"],
    ] as const;
    const named = lines.map(([name]) => name).join(", ");
    expect(left([...lines, ["Connection", named]])).toEqual(lines.map((line) => line.join(": ")));
  });

  it("fields called close or keep-alive-like: options are no names of fields", () => {
    expect(
      left([
        ["Close", "x"],
        ["Connection", "close"],
      ]),
    ).toEqual(["Close: x"]);
  });

  it("TE of trailers alone: kept, and Connection says so", () => {
    expect(
      left([
        ["Connection", "TE, close"],
        ["TE", "Trailers"],
      ]),
    ).toEqual(["TE: Trailers", "Connection: TE"]);
    expect(
      left([
        ["TE", "trailers"],
        ["TE", "gzip"],
      ]),
    ).toEqual([]);
  });

  it("Upgrade: kept when asked for", () => {
    const lines = [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
    ] as const;
    expect(left(lines, true)).toEqual(["Upgrade: websocket"]);
    expect(left(lines)).toEqual([]);
  });

  it("nothing to remove: nothing changed", () => {
    expect(left([["Accept", "x"]])).toEqual(["Accept: x"]);
  });
});
