import { describe, expect, test } from "vitest";
import { RawOrigin } from "../support/raw-origin.ts";
import { ok, response, ScriptedOrigin } from "./origin.ts";
import { drivers, eventually, startProxy } from "./support.ts";

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

describe.each(drivers)("interim and early answers (%s)", (driver) => {
  test("expect: 100-continue, is passed on, and the body follows the interim answer", async () => {
    await using origin = await RawOrigin.start((c) => {
      if (c.received.endsWith("\r\n\r\n")) c.socket.write(CONTINUE);
      if (c.received.endsWith("body")) c.socket.write(ok("got it"));
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    expect((await client.response()).statusLine).toBe("HTTP/1.1 100 Continue");
    await client.send("body");
    expect((await client.response()).body.toString()).toBe("got it");
    expect(origin.connections[0]!.received).toContain("Expect: 100-continue");
  });

  test("expect: 100-continue, refused: the answer passes and the body is not waited for", async () => {
    await using origin = await RawOrigin.start((c) => {
      c.socket.write(response(417, "no"));
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    const answer = await client.response();
    expect(answer.status).toBe(417);
    expect(answer.header("connection")).toBe("close");
    await client.untilEnd();
    await eventually(
      "the half-used connection is gone",
      () => origin.connections[0]!.ended !== "open",
    );
  });

  test("103 with links and several 1xx, pass before the final answer", async () => {
    await using origin = await ScriptedOrigin.start(
      () =>
        `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n${CONTINUE}HTTP/1.1 199 Odd\r\n\r\n${ok("fin")}`,
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    for (let i = 0; i < 2; i++) {
      await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      const hints = await client.response();
      expect([hints.status, hints.headers]).toEqual([103, [["Link", "</a>"]]]);
      expect((await client.response()).status).toBe(100);
      expect((await client.response()).status).toBe(199);
      expect((await client.response()).body.toString()).toBe("fin");
    }
    expect(origin.connections.length).toBe(1);
  });

  test("1xx for an http/1.0 client, is kept from it", async () => {
    await using origin = await ScriptedOrigin.start(() => CONTINUE + ok("fin"));
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n");
    expect((await client.response()).body.toString()).toBe("fin");
  });

  test("1xx without end to a client that does not read, is held back", async () => {
    let written = 0;
    let stop = false;
    const hint = `HTTP/1.1 103 Early Hints\r\nLink: ${"l".repeat(8_000)}\r\n\r\n`;
    await using origin = await ScriptedOrigin.start(({ socket }) => {
      const more = (): void => {
        if (stop || socket.destroyed) return;
        written += hint.length;
        if (socket.write(hint)) setImmediate(more);
        else socket.once("drain", more);
      };
      more();
      return undefined;
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    client.pause();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let before = -1;
    await eventually("the origin stands still", () => {
      const still = written === before;
      before = written;
      return still && written > 1_000_000;
    });
    expect(written).toBeLessThan(64 * 1024 * 1024);
    stop = true;
    client.reset();
  });

  test("a final answer during the upload, passes, and neither connection is used again", async () => {
    await using origin = await RawOrigin.start((c) => {
      if (c.received.includes("part")) c.socket.write(response(413, "too much"));
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\npart");
    const answer = await client.response();
    expect(answer.status).toBe(413);
    expect(answer.header("connection")).toBe("close");
    await client.untilEnd();
    await eventually(
      "the origin's connection is cut",
      () => origin.connections[0]!.ended !== "open",
    );
    expect(proxy.recorder.last.status).toBe(413);
  });

  test("an answer during the upload that outlasts it, and the upload is carried to its end", async () => {
    await using origin = await RawOrigin.start((c) => {
      if (c.received.endsWith("part"))
        c.socket.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nearl");
      if (c.received.endsWith("rest")) c.socket.write("late");
    });
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\npart");
    await client.until((text) => text.endsWith("earl"));
    await client.send("rest");
    expect((await client.response()).body.toString()).toBe("earllate");
    expect(origin.connections[0]!.received.endsWith("partrest")).toBe(true);
  });
});
