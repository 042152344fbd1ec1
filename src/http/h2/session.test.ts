import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { Fields } from "../fields.ts";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";
import { H2Code } from "./error-code.ts";
import { Pair } from "./testing/pair.ts";
import { StreamLog } from "./testing/recorder.ts";

const responseOf = (status = 200, fields: readonly [string, string][] = []): ResponseHead => {
  const head = new ResponseHead();
  head.status = status;
  for (const [name, value] of fields) head.fields.append(name, value);
  return head;
};

/** A server's answer to the nth request, whole. */
function answer(pair: Pair, n: number, body = "", head = responseOf()): void {
  const { server } = pair;
  const stream = pair.serverLog.streams[n]!.stream!;
  server.sendHead(stream, head, body === "" ? "none" : "length", body.length);
  if (body !== "") server.sendData(stream, bytesOf(body), 0, body.length);
  server.sendEnd(stream, null);
}

describe("messages", () => {
  it("a request and a response without content: heads as HTTP/1.1 has them", () => {
    const pair = new Pair();
    const log = pair.request("/a?b=c", 0, [
      ["Accept", "*/*"],
      ["Connection", "keep-alive"],
    ]);
    pair.settle();
    expect(pair.serverLog.streams[0]!.events).toEqual([
      "head GET /a?b=c [host: a.example|accept: */*] none",
      "end",
    ]);
    answer(pair, 0, "", responseOf(404, [["Server", "x"]]));
    pair.settle();
    expect(log.events).toEqual(["head 404 [server: x|content-length: 0] length 0", "end"]);
    expect([pair.client.openStreams, pair.server.openStreams]).toEqual([0, 0]);
    expect([pair.clientLog.quiet, pair.serverLog.quiet]).toEqual([1, 1]);
  });

  it("interim heads, content and trailers: in their order", () => {
    const pair = new Pair();
    const log = pair.request("/", -1);
    const trailers = new Fields();
    trailers.append("X-Sum", "1");
    trailers.append("Host", "evil");
    pair.client.sendData(log.stream!, bytesOf("hello"), 0, 5);
    pair.client.sendEnd(log.stream!, trailers);
    pair.settle();
    const server = pair.serverLog.streams[0]!;
    expect([server.body, server.events[1]]).toEqual(["hello", "end [x-sum: 1]"]);
    pair.server.sendInformational(server.stream!, responseOf(103, [["Link", "</a>"]]));
    pair.server.sendHead(server.stream!, responseOf(), "chunked", -1);
    pair.server.sendData(server.stream!, bytesOf("world"), 0, 5);
    pair.server.sendEnd(server.stream!, trailers);
    pair.settle();
    expect(log.events).toEqual([
      "head 103 [link: </a>] none",
      "head 200 [] chunked",
      "end [x-sum: 1]",
    ]);
    expect(log.body).toBe("world");
  });

  it("a small response given at once: HEADERS and one DATA frame, ended by it", () => {
    const pair = new Pair();
    pair.request();
    pair.settle();
    const stream = pair.serverLog.streams[0]!.stream!;
    pair.server.sendHead(stream, responseOf(), "chunked", -1);
    pair.server.sendData(stream, bytesOf("ok"), 0, 2);
    pair.server.sendEnd(stream, null);
    pair.server.flush();
    expect(Buffer.from(pair.serverSink.take()).toString("hex")).toBe(
      "000001010400000001" + "88" + "000002000100000001" + "6f6b",
    );
  });

  it("HEAD, 204, 304: no content, whatever Content-Length says", () => {
    const pair = new Pair();
    const head = new RequestHead();
    head.method = "HEAD";
    head.fields.append("Host", "a");
    const log = new StreamLog(false);
    pair.client.sendRequest(pair.client.open(log)!, head, "http", "none", -1);
    pair.settle();
    answer(pair, 0, "", responseOf(200, [["Content-Length", "10"]]));
    pair.settle();
    expect(log.events).toEqual(["head 200 [content-length: 10] none", "end"]);
  });

  it("a response longer or shorter than its Content-Length: refused by the sender, by throwing", () => {
    const pair = new Pair();
    pair.request();
    pair.settle();
    const stream = pair.serverLog.streams[0]!.stream!;
    pair.server.sendHead(stream, responseOf(), "length", 3);
    expect(() => pair.server.sendData(stream, bytesOf("four"), 0, 4)).toThrow(/exceeds/);
    pair.server.sendData(stream, bytesOf("2!"), 0, 2);
    expect(() => pair.server.sendEnd(stream, null)).toThrow(/before/);
  });

  it("a field marked never to be indexed: marked at the next hop, too", () => {
    const pair = new Pair();
    pair.request("/", 0, [
      ["Authorization", "Basic abc"],
      ["X-A", "b"],
    ]);
    pair.settle();
    const { fields } = pair.serverLog.streams[0]!.request;
    const marked = (name: string): boolean =>
      [...Array(fields.count).keys()].some((i) => fields.isSensitive(i) && fields.name(i) === name);
    expect([marked("authorization"), marked("x-a")]).toEqual([true, false]);
    const head = responseOf();
    head.fields.append("X-A", "b");
    head.fields.append("X-B", "b");
    head.fields.markSensitive(0);
    for (let i = 0; i < 3; i++) {
      const log = pair.request();
      pair.settle();
      answer(pair, i + 1, "", head);
      pair.settle();
      const back = log.responseHead.fields;
      expect([0, 1].map((line) => back.isSensitive(line))).toEqual([true, false]);
    }
  });

  it("a head larger than a frame: in CONTINUATION, whole", () => {
    const pair = new Pair();
    const fields = Array.from({ length: 30 }, (_, i): [string, string] => [
      `x-${i}`,
      `~${String.fromCharCode(1 + 126).slice(1)}{}^|`.repeat(250),
    ]);
    pair.request("/", 0, fields);
    pair.settle([1000]);
    const server = pair.serverLog.streams[0]!;
    expect([...server.request.fields].slice(1)).toEqual(fields);
  });

  it("a large head behind an interim one, ended at once: the end comes behind it", () => {
    const pair = new Pair();
    const log = pair.request();
    pair.settle();
    const stream = pair.serverLog.streams[0]!.stream!;
    const large = responseOf(200, [["x-large", "{}".repeat(10_000)]]);
    pair.server.sendInformational(stream, responseOf(103));
    pair.server.sendHead(stream, large, "chunked", -1);
    pair.server.sendEnd(stream, null);
    pair.settle();
    expect(log.events.map((event) => event.slice(0, 8))).toEqual(["head 103", "head 200", "end"]);
  });

  it("a method as long as HTTP/1.1 lets it be: whole", () => {
    const pair = new Pair();
    const head = new RequestHead();
    head.method = "M~".repeat(4000);
    head.target = `/${"~".repeat(8000)}`;
    head.fields.append("Host", "a".repeat(200));
    const log = new StreamLog(false);
    pair.client.sendRequest(pair.client.open(log)!, head, "http", "none", -1);
    pair.settle();
    const { request } = pair.serverLog.streams[0]!;
    expect([request.method, request.target]).toEqual([head.method, head.target]);
  });

  it("priority in the request: taken over; a PRIORITY_UPDATE changes it", () => {
    const pair = new Pair();
    pair.request("/", 0, [["priority", "u=1, i"]]);
    pair.settle();
    const stream = pair.serverLog.streams[0]!.stream!;
    expect([stream.urgency, stream.incremental]).toEqual([1, true]);
    const update = Buffer.from("00000710000000000000000001" + "753d36", "hex");
    pair.server.receive(update, 0, update.length);
    expect([stream.urgency, stream.incremental]).toEqual([6, false]);
  });
});

describe("tunnels", () => {
  it("extended CONNECT: an upgrade on both sides, then bytes both ways", () => {
    const pair = new Pair();
    pair.settle();
    expect(pair.client.extendedConnect).toBe(true);
    const head = new RequestHead();
    head.target = "/chat";
    head.fields.append("Host", "a");
    head.fields.append("Connection", "upgrade");
    head.fields.append("Upgrade", "websocket");
    head.upgrade = true;
    const log = new StreamLog(false);
    const stream = pair.client.open(log)!;
    pair.client.sendRequest(stream, head, "https", "none", -1);
    pair.settle();
    const server = pair.serverLog.streams[0]!;
    expect(server.events).toEqual([
      "head GET /chat [host: a|connection: upgrade|upgrade: websocket] none",
    ]);
    expect(server.request.upgrade).toBe(true);
    pair.server.sendHead(server.stream!, responseOf(101, [["Upgrade", "websocket"]]), "tunnel", -1);
    pair.server.sendData(server.stream!, bytesOf("hi"), 0, 2);
    pair.client.sendData(stream, bytesOf("ho"), 0, 2);
    pair.settle();
    expect(log.events).toEqual(["head 101 [connection: upgrade] tunnel"]);
    expect([log.body, server.body]).toEqual(["hi", "ho"]);
    pair.server.sendEnd(server.stream!, null);
    pair.settle();
    expect([log.ended, server.ended, pair.server.openStreams]).toEqual([true, false, 1]);
    pair.client.sendEnd(stream, null);
    pair.settle();
    expect([server.ended, pair.server.openStreams, pair.client.openStreams]).toEqual([true, 0, 0]);
  });
});

describe("tunnels refused", () => {
  it("a CONNECT answered by an error: the stream is over, as of any request", () => {
    const pair = new Pair();
    const head = new RequestHead();
    head.fields.append("Host", "a");
    const log = new StreamLog(false);
    const stream = pair.client.open(log)!;
    pair.settle();
    head.upgrade = true;
    head.fields.append("Upgrade", "websocket");
    pair.client.sendRequest(stream, head, "http", "none", -1);
    pair.settle();
    answer(pair, 0, "no", responseOf(403));
    pair.settle();
    expect(pair.server.openStreams).toBe(0);
    expect(log.events).toEqual(["head 403 [] chunked", "end", "reset by peer: code 0"]);
  });
});

describe("flow control", () => {
  const WINDOW = 70_000;

  it("an owner that consumes nothing: stops the sender at the window, and consuming lets it go on", () => {
    const pair = new Pair({ streamWindow: WINDOW });
    pair.settle();
    const log = pair.request("/", -1);
    const body = bytesOf("x".repeat(100_000));
    expect(pair.client.sendData(log.stream!, body, 0, body.length)).toBe(true);
    pair.settle();
    const server = pair.serverLog.streams[0]!;
    expect([server.body.length, log.writable]).toEqual([WINDOW, 0]);
    pair.server.consumed(server.stream!, WINDOW);
    pair.settle();
    expect([server.body.length, log.writable]).toEqual([100_000, 1]);
  });

  it("the window of streams changed while data is on its way: counted by what was acknowledged", () => {
    const pair = new Pair({ streamWindow: WINDOW });
    pair.settle();
    const log = pair.request("/", -1);
    const body = bytesOf("x".repeat(100_000));
    // The client does not know of the change yet, and may send by the old window.
    pair.server.changeStreamWindow(1000);
    pair.server.changeStreamWindow(80_000);
    pair.client.sendData(log.stream!, body, 0, 60_000);
    pair.settle();
    const server = pair.serverLog.streams[0]!;
    expect([server.body.length, pair.serverLog.failure]).toEqual([60_000, null]);
    pair.client.sendData(log.stream!, body, 0, 40_000);
    pair.settle();
    expect(server.body.length).toBe(80_000);
    expect(server.reset).toBeNull();
  });

  it("one stream that stands still: does not stop another", () => {
    const pair = new Pair({ streamWindow: WINDOW });
    pair.settle();
    const body = bytesOf("x".repeat(WINDOW));
    const logs = [pair.request("/a", -1), pair.request("/b", -1)];
    for (const log of logs) pair.client.sendData(log.stream!, body, 0, body.length);
    pair.settle();
    pair.client.sendData(logs[0]!.stream!, body, 0, 10);
    pair.settle();
    const [, second] = pair.serverLog.streams;
    pair.server.consumed(second!.stream!, WINDOW);
    pair.client.sendData(logs[1]!.stream!, body, 0, 10);
    pair.settle();
    expect(pair.serverLog.streams.map((log) => log.body.length)).toEqual([WINDOW, WINDOW + 10]);
  });

  it("a sink that is full: content waits, more is not asked for, and goes by urgency", () => {
    const pair = new Pair();
    for (const urgency of [5, 1, 3]) pair.request("/", 0, [["priority", `u=${urgency}`]]);
    pair.settle();
    const streams = pair.serverLog.streams.map(({ stream }) => stream!);
    for (const stream of streams) pair.server.sendHead(stream, responseOf(), "chunked", -1);
    pair.serverSink.full = true;
    pair.server.flush();
    for (const stream of streams) {
      expect(pair.server.sendData(stream, bytesOf("0123456789"), 0, 10)).toBe(true);
    }
    pair.serverSink.take();
    pair.serverSink.full = false;
    pair.server.onWritable();
    const sent = Buffer.from(pair.serverSink.take());
    const order = [0, 19, 38].map((at) => sent.readUInt32BE(at + 5));
    expect(order).toEqual([3, 5, 1]);
    expect(pair.serverLog.streams.map(({ writable }) => writable)).toEqual([1, 1, 1]);
  });

  it("incremental streams: take turns frame by frame; others come one after another", () => {
    const run = (priority: string): number[] => {
      const pair = new Pair();
      for (let i = 0; i < 2; i++) pair.request("/", 0, [["priority", priority]]);
      pair.settle();
      const streams = pair.serverLog.streams.map(({ stream }) => stream!);
      for (const stream of streams) pair.server.sendHead(stream, responseOf(), "chunked", -1);
      pair.serverSink.full = true;
      pair.server.flush();
      const body = bytesOf("x".repeat(32_768));
      for (const stream of streams) pair.server.sendData(stream, body, 0, body.length);
      pair.serverSink.take();
      pair.serverSink.full = false;
      pair.server.onWritable();
      const sent = Buffer.from(pair.serverSink.take());
      return [0, 1, 2, 3].map((i) => sent.readUInt32BE(i * (16_384 + 9) + 5));
    };
    expect(run("i")).toEqual([1, 3, 1, 3]);
    expect(run("u=3")).toEqual([1, 1, 3, 3]);
  });

  it("a reset with data unconsumed: the connection's window is not lost", () => {
    const pair = new Pair({ streamWindow: 65_535, connectionWindow: 65_535 });
    pair.settle();
    for (let i = 0; i < 5; i++) {
      const log = pair.request("/", -1);
      const body = bytesOf("x".repeat(60_000));
      pair.client.sendData(log.stream!, body, 0, body.length);
      pair.settle();
      const server = pair.serverLog.streams[i]!;
      expect(server.body.length).toBe(60_000);
      pair.server.reset(server.stream!, H2Code.cancel);
      pair.settle();
      expect(log.events).toEqual([`reset by peer: code ${H2Code.cancel}`]);
    }
  });
});

describe("the end of streams", () => {
  it("a response before the end of its request: NO_ERROR, and what still comes is dropped", () => {
    const pair = new Pair();
    const log = pair.request("/", -1);
    pair.client.sendData(log.stream!, bytesOf("a"), 0, 1);
    pair.settle();
    answer(pair, 0, "no");
    pair.client.sendData(log.stream!, bytesOf("more"), 0, 4);
    pair.settle();
    expect(log.events).toEqual(["head 200 [] chunked", "end", "reset by peer: code 0"]);
    expect([pair.server.openStreams, pair.client.openStreams]).toEqual([0, 0]);
    expect([pair.serverLog.failure, pair.clientLog.failure]).toEqual([null, null]);
  });

  it("refused: the client hears that it may send the request again", () => {
    const pair = new Pair();
    pair.serverLog.refuse = true;
    const log = pair.request();
    pair.settle();
    expect(log.events).toEqual(["reset by peer: code 7, unprocessed"]);
  });

  it("commands on a stream that is gone: do nothing", () => {
    const pair = new Pair();
    pair.request();
    pair.settle();
    const stream = pair.serverLog.streams[0]!.stream!;
    pair.server.reset(stream, H2Code.cancel);
    pair.settle();
    pair.server.sendHead(stream, responseOf(), "chunked", -1);
    expect(pair.server.sendData(stream, bytesOf("a"), 0, 1)).toBe(false);
    pair.server.sendEnd(stream, null);
    pair.server.reset(stream, H2Code.cancel);
    pair.server.consumed(stream, 10);
    pair.server.flush();
    expect(pair.serverSink.take()).toHaveLength(0);
  });

  it("closed by the transport: every owner hears of it once", () => {
    const pair = new Pair();
    const log = pair.request();
    pair.settle();
    pair.client.close();
    pair.server.close();
    expect(log.events).toEqual([`reset by connection: code ${H2Code.cancel}`]);
    expect(pair.serverLog.streams[0]!.reset?.by).toBe("connection");
    expect(pair.client.open(new StreamLog(false))).toBeNull();
  });
});

describe("the end of connections", () => {
  it("a server that drains: takes what is on its way, then names its last stream", () => {
    const pair = new Pair();
    pair.request("/a");
    pair.settle();
    pair.server.drain();
    // Sent before the client could know.
    pair.request("/b");
    pair.settle();
    expect(pair.client.available).toBe(0);
    expect(pair.serverLog.streams).toHaveLength(2);
    answer(pair, 0);
    answer(pair, 1);
    pair.settle();
    expect([pair.server.finished, pair.client.finished]).toEqual([true, true]);
    expect(pair.clientLog.available).toBeGreaterThan(0);
  });

  it("a drain whose PING is not answered: goes on after a second", () => {
    const pair = new Pair();
    pair.settle();
    pair.server.drain();
    pair.serverSink.take();
    expect(pair.server.finished).toBe(false);
    expect(pair.server.nextTimeout()).toBe(pair.clock.at + 1_000_000);
    pair.clock.advance(1_000_000);
    pair.server.handleTimeout();
    expect(pair.server.finished).toBe(true);
  });

  it("GOAWAY that leaves streams out: they may be sent again elsewhere", () => {
    const pair = new Pair();
    pair.settle();
    const logs = [pair.request("/a"), pair.request("/b")];
    const goaway = Buffer.from("000008070000000000" + "00000001" + "00000000", "hex");
    pair.client.receive(goaway, 0, goaway.length);
    expect(logs.map(({ events }) => events)).toEqual([
      [],
      ["reset by connection: code 0, unprocessed"],
    ]);
    expect(pair.client.available).toBe(0);
  });

  it("PING: answered, timed, and without an answer the end", () => {
    const pair = new Pair();
    pair.settle();
    pair.client.ping();
    pair.settle();
    expect(pair.client.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    pair.client.ping();
    pair.clock.advance(15_000_000);
    pair.client.handleTimeout();
    expect(pair.clientLog.failure?.reason).toBe("ping-timeout");
  });

  it("SETTINGS without acknowledgment: SETTINGS_TIMEOUT", () => {
    const pair = new Pair();
    pair.clock.advance(10_000_000);
    pair.client.handleTimeout();
    expect(pair.clientLog.failure?.code).toBe(H2Code.settingsTimeout);
  });
});

describe("the client's streams", () => {
  it("as many as the server allows: then none, until one ends", () => {
    const pair = new Pair({}, { concurrentStreams: 2 });
    pair.settle();
    expect(pair.client.available).toBe(2);
    pair.request();
    pair.request();
    expect(pair.client.open(new StreamLog(false))).toBeNull();
    pair.settle();
    const before = pair.clientLog.available;
    answer(pair, 0);
    pair.settle();
    expect([pair.client.available, pair.clientLog.available - before]).toEqual([1, 1]);
  });
});
