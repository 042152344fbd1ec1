import { describe, expect, it } from "vitest";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";
import { H2Code } from "./error-code.ts";
import { Flag, FrameType, PREFACE } from "./frame-type.ts";
import {
  data,
  END,
  frame,
  GET,
  get,
  HEADERS_DONE,
  headers,
  POST,
  ping,
  post,
  reset,
  SETTINGS,
  settings,
  Victim,
  windowUpdate,
  word,
} from "./testing/frames.ts";
import { StreamLog } from "./testing/recorder.ts";

const {
  protocolError,
  flowControlError,
  streamClosed,
  frameSizeError,
  compressionError,
  refusedStream,
  enhanceYourCalm,
} = H2Code;

describe("connection errors", () => {
  it.each<[string, number, Buffer[]]>([
    ["DATA on stream 0", protocolError, [data(0, 1)]],
    ["HEADERS on stream 0", protocolError, [get(0)]],
    ["PING on a stream", protocolError, [frame(FrameType.ping, 0, 1, Array(8).fill(0))]],
    ["PING of 7 octets", frameSizeError, [frame(FrameType.ping, 0, 0, Array(7).fill(0))]],
    ["SETTINGS of 5 octets", frameSizeError, [frame(FrameType.settings, 0, 0, Array(5).fill(0))]],
    ["SETTINGS on a stream", protocolError, [frame(FrameType.settings, 0, 1)]],
    ["an acknowledgment with content", frameSizeError, [frame(4, Flag.ack, 0, Array(6).fill(0))]],
    ["an acknowledgment too many", protocolError, [frame(FrameType.settings, Flag.ack, 0)]],
    ["ENABLE_PUSH of 2", protocolError, [settings(2, 2)]],
    ["a window of 2^31", flowControlError, [settings(4, 0x8000_0000)]],
    ["a frame size of 16383", protocolError, [settings(5, 16_383)]],
    ["ENABLE_CONNECT_PROTOCOL of 2", protocolError, [settings(8, 2)]],
    ["a frame of 16385 octets", frameSizeError, [post(1), data(1, 16_385)]],
    ["an unknown frame of 16385 octets", frameSizeError, [frame(77, 0, 0, Array(16_385).fill(0))]],
    ["RST_STREAM of 3 octets", frameSizeError, [get(1), frame(3, 0, 1, [0, 0, 8])]],
    ["RST_STREAM on an idle stream", protocolError, [reset(1)]],
    ["WINDOW_UPDATE on an idle stream", protocolError, [windowUpdate(1, 1)]],
    ["WINDOW_UPDATE by 0", protocolError, [windowUpdate(0, 0)]],
    ["a window above 2^31-1", flowControlError, [windowUpdate(0, 0x7fff_ffff)]],
    ["DATA on an idle stream", protocolError, [data(1, 1)]],
    ["HEADERS on an even stream", protocolError, [get(2)]],
    ["HEADERS on a lower stream", streamClosed, [get(5), get(3)]],
    ["HEADERS again after RST_STREAM", streamClosed, [get(1), reset(1), get(1)]],
    ["PUSH_PROMISE", protocolError, [frame(FrameType.pushPromise, 4, 1, word(2))]],
    ["CONTINUATION alone", protocolError, [frame(FrameType.continuation, 4, 1)]],
    ["a block interrupted", protocolError, [headers(1, GET, END), ping()]],
    [
      "a block continued elsewhere",
      protocolError,
      [headers(1, GET, END), frame(FrameType.continuation, 4, 3)],
    ],
    ["a block that does not decode", compressionError, [frame(FrameType.headers, 5, 1, [0x80])]],
    ["padding of the whole frame", protocolError, [post(1), frame(0, 8, 1, [4, 0, 0, 0])]],
    ["a padded frame without length", frameSizeError, [post(1), frame(0, 8, 1)]],
    ["padding of all HEADERS", protocolError, [frame(FrameType.headers, 0xd, 1, [3, 0x82])]],
    ["GOAWAY of 7 octets", frameSizeError, [frame(FrameType.goaway, 0, 0, Array(7).fill(0))]],
  ])("%s: GOAWAY %i", (_what, code, frames) => {
    const victim = Victim.ready().hear(...frames);
    expect(victim.said().at(-1)).toBe(`goaway ${code}`);
    expect(victim.log.failure?.code).toBe(code);
    expect(victim.session.openStreams).toBe(0);
    // It stays in it, and says no more.
    expect(victim.hear(ping(), get(9)).said()).toEqual([]);
  });

  it("no preface: GOAWAY", () => {
    const victim = new Victim().hear(Buffer.from("GET / HTTP/1.1\r\n"));
    expect(victim.said().at(-1)).toBe(`goaway ${protocolError}`);
  });

  it("no SETTINGS first: GOAWAY", () => {
    expect(new Victim().hear(Buffer.from(PREFACE), ping()).said().at(-1)).toBe(
      `goaway ${protocolError}`,
    );
  });

  it("more DATA than the connection's window: GOAWAY", () => {
    const victim = Victim.ready({ connectionWindow: 65_535, streamWindow: 65_535 });
    victim.hear(post(1), post(3), ...Array.from({ length: 4 }, () => data(1, 16_000)));
    expect(victim.said()).toEqual([]);
    expect(victim.hear(data(3, 2000)).said()).toEqual([`goaway ${flowControlError}`]);
  });
});

describe("stream errors", () => {
  it.each<[string, number, Buffer[]]>([
    ["WINDOW_UPDATE by 0", protocolError, [post(1), windowUpdate(1, 0)]],
    ["a window above 2^31-1", flowControlError, [post(1), windowUpdate(1, 0x7fff_ffff)]],
    ["DATA after the end", streamClosed, [get(1), data(1, 1)]],
    ["HEADERS after the end", streamClosed, [get(1), get(1)]],
    ["trailers that do not end", protocolError, [post(1), headers(1, [["a", "b"]], HEADERS_DONE)]],
    ["DATA after RST_STREAM", streamClosed, [post(1), reset(1), data(1, 1)]],
  ])("%s: RST_STREAM %i", (_what, code, frames) => {
    const victim = Victim.ready().hear(...frames, ping());
    expect(victim.said()).toEqual([`reset 1 ${code}`, "ping ack"]);
    expect(victim.log.failure).toBeNull();
  });

  it("more DATA than the stream's window: FLOW_CONTROL_ERROR on it", () => {
    const victim = Victim.ready({ streamWindow: 1000 }).hear(post(1), data(1, 1001), ping());
    expect(victim.said()).toEqual([`reset 1 ${flowControlError}`, "ping ack"]);
    expect(victim.log.streams[0]!.events.at(-1)).toBe("reset by fault: window");
  });

  it("a stream more than allowed: REFUSED_STREAM, and the tables go on agreeing", () => {
    const victim = Victim.ready({ concurrentStreams: 1 }).hear(get(1), get(3), get(5));
    expect(victim.said()).toEqual([`reset 3 ${refusedStream}`, `reset 5 ${refusedStream}`]);
    expect(victim.log.streams).toHaveLength(1);
  });
});

const request = (
  changes: Readonly<Record<string, string | null>>,
  more: [string, string][] = [],
) => [
  ...GET.flatMap(([name, value]): [string, string][] => {
    const change = changes[name];
    return change === null ? [] : [[name, change ?? value]];
  }),
  ...more,
];

describe("malformed requests", () => {
  it.each<[string, string, [string, string][]]>([
    ["CR in a value", "field-syntax", request({}, [["a", "b\rc"]])],
    ["LF in a value", "field-syntax", request({}, [["a", "b\nc: d"]])],
    ["NUL in a value", "field-syntax", request({}, [["a", "\0"]])],
    ["white space around a value", "field-syntax", request({}, [["a", " b"]])],
    ["a colon in a name", "field-syntax", request({}, [["a:b", "c"]])],
    ["a space in a name", "field-syntax", request({}, [["a b", "c"]])],
    ["an empty name", "field-syntax", request({}, [["", "c"]])],
    ["CR in a path", "field-syntax", request({ ":path": "/\r\nX: y" })],
    ["connection", "connection-field", request({}, [["connection", "close"]])],
    ["transfer-encoding", "connection-field", request({}, [["transfer-encoding", "chunked"]])],
    ["keep-alive", "connection-field", request({}, [["keep-alive", "1"]])],
    ["proxy-connection", "connection-field", request({}, [["proxy-connection", "close"]])],
    ["upgrade", "connection-field", request({}, [["upgrade", "websocket"]])],
    ["te: gzip", "connection-field", request({}, [["te", "gzip"]])],
    ["te: trailers, gzip", "connection-field", request({}, [["te", "trailers, gzip"]])],
    ["an unknown pseudo-header", "pseudo-header", request({}).concat([[":foo", "x"]])],
    ["a response's pseudo-header", "pseudo-header", request({}).concat([[":status", "200"]])],
    ["a pseudo-header behind a field", "pseudo-header", [["a", "b"], ...request({})]],
    ["a doubled pseudo-header", "pseudo-header", request({}).concat([[":path", "/b"]])],
    ["no :method", "pseudo-header", request({ ":method": null })],
    ["no :path", "pseudo-header", request({ ":path": null })],
    ["no :scheme", "pseudo-header", request({ ":scheme": null })],
    ["an empty :path", "target", request({ ":path": "" })],
    ["a :path without slash", "target", request({ ":path": "a" })],
    ["a whole URL as :path", "target", request({ ":path": "http://b/" })],
    ["a space in :path", "target", request({ ":path": "/a HTTP/1.1" })],
    ["a fragment in :path", "target", request({ ":path": "/#a" })],
    ["a space in :method", "target", request({ ":method": "GET /x" })],
    ["an asterisk for GET", "target", request({ ":path": "*" })],
    ["another :scheme", "target", request({ ":scheme": "ftp" })],
    ["user information in :authority", "host", request({ ":authority": "a@b" })],
    ["neither :authority nor Host", "host", request({ ":authority": null })],
    ["a Host that differs", "host", request({}, [["host", "b.example"]])],
    [
      "two Hosts",
      "host",
      request({ ":authority": null }, [
        ["host", "a"],
        ["host", "a"],
      ]),
    ],
    ["CONNECT with a path", "pseudo-header", request({ ":method": "CONNECT" })],
    [
      "CONNECT without port",
      "target",
      request({ ":method": "CONNECT", ":path": null, ":scheme": null }),
    ],
    [":protocol for GET", "pseudo-header", request({}).concat([[":protocol", "websocket"]])],
    [":protocol h2c", "target", request({ ":method": "CONNECT" }).concat([[":protocol", "h2c"]])],
    [
      "two Content-Lengths",
      "content-length",
      request({}, [
        ["content-length", "0"],
        ["content-length", "0"],
      ]),
    ],
    ["a Content-Length of a sign", "content-length", request({}, [["content-length", "+0"]])],
    ["a Content-Length that lies", "content-length", request({}, [["content-length", "1"]])],
    ["a head too large", "head-too-large", request({}, [["a", "b".repeat(70_000)]])],
  ])("%s: reported as %s, answered, then reset", (_what, reason, fields) => {
    const victim = Victim.ready({ headerBlock: 100_000, frameSize: 100_000 });
    victim.hear(headers(1, fields, END | HEADERS_DONE));
    const log = victim.log.streams[0]!;
    expect(log.events).toEqual([`malformed ${reason}`]);
    const head = new ResponseHead();
    head.status = log.malformed!.status;
    if (!("sendHead" in victim.session)) throw new Error("no server");
    victim.session.sendHead(log.stream!, head, "none", -1);
    victim.session.flush();
    expect(victim.said()).toEqual(["type 1 flags 5 on 1", `reset 1 ${log.malformed!.code}`]);
    // A well-formed one behind it is served.
    victim.hear(get(3));
    expect(victim.log.streams[1]!.events).toEqual(["head GET / [host: a.example] none", "end"]);
  });

  it("upper case in a name: refused", () => {
    const victim = Victim.ready();
    const block = [0x82, 0x86, 0x84, 0x01, 0x01, 0x61, 0x00, 0x01, 0x41, 0x01, 0x62];
    victim.hear(frame(FrameType.headers, END | HEADERS_DONE, 1, block));
    expect(victim.log.streams[0]!.events).toEqual(["malformed field-syntax"]);
  });

  it("more or less DATA than Content-Length: refused once the head is out", () => {
    const with4 = [...POST, ["content-length", "4"]] as const;
    const more = Victim.ready().hear(headers(1, with4, HEADERS_DONE), data(1, 3), data(1, 2));
    expect(more.log.streams[0]!.events.at(-1)).toBe("malformed content-length");
    const less = Victim.ready().hear(headers(1, with4, HEADERS_DONE), data(1, 3, END));
    expect(less.log.streams[0]!.events.at(-1)).toBe("malformed content-length");
    const exact = Victim.ready().hear(headers(1, with4, HEADERS_DONE), data(1, 4, END));
    expect(exact.log.streams[0]!.events.at(-1)).toBe("end");
  });

  it("a body above the limit: 413", () => {
    const victim = Victim.ready({ body: 10 }).hear(post(1), data(1, 11));
    expect(victim.log.streams[0]!.malformed?.status).toBe(413);
  });

  it("what HTTP/1.1 needs changed: crumbs of cookies joined, Host made of :authority", () => {
    const victim = Victim.ready();
    const crumbs: [string, string][] = [
      ["cookie", "a=1"],
      ["host", "a.example"],
      ["te", "trailers"],
      ["cookie", "b=2"],
    ];
    victim.hear(headers(1, request({}, crumbs), END | HEADERS_DONE));
    expect(victim.log.streams[0]!.events[0]).toBe(
      "head GET / [host: a.example|te: trailers|cookie: a=1; b=2] none",
    );
  });

  it("CONNECT and OPTIONS *: their forms", () => {
    const victim = Victim.ready();
    const connect = request({
      ":method": "CONNECT",
      ":path": null,
      ":scheme": null,
      ":authority": "a:1",
    });
    const options = request({ ":method": "OPTIONS", ":path": "*" });
    victim.hear(headers(1, connect, HEADERS_DONE), headers(3, options, END | HEADERS_DONE));
    expect(victim.log.streams.map(({ events }) => events[0])).toEqual([
      "head CONNECT a:1 [host: a:1] none",
      "head OPTIONS * [host: a.example] none",
    ]);
  });
});

describe("responses that lie", () => {
  it.each<[string, [string, string][], number]>([
    ["no :status", [["a", "b"]], END],
    [":status of letters", [[":status", "2x0"]], END],
    ["101", [[":status", "101"]], 0],
    [
      "two :status",
      [
        [":status", "200"],
        [":status", "200"],
      ],
      END,
    ],
    [
      "a request's pseudo-header",
      [
        [":status", "200"],
        [":path", "/"],
      ],
      END,
    ],
    [
      "connection",
      [
        [":status", "200"],
        ["connection", "close"],
      ],
      END,
    ],
    [
      "a Content-Length that lies",
      [
        [":status", "200"],
        ["content-length", "1"],
      ],
      END,
    ],
    ["an interim head that ends", [[":status", "100"]], END],
  ])("%s: the stream is reset", (_what, fields, flags) => {
    const victim = new Victim("client");
    const client = victim.session;
    if (!("open" in client)) throw new Error("no client");
    victim.hear(SETTINGS);
    const log = new StreamLog(false);
    const head = new RequestHead();
    head.fields.append("Host", "a");
    client.sendRequest(client.open(log)!, head, "http", "none", -1);
    client.flush();
    victim.sink.take();
    victim.hear(headers(1, fields, HEADERS_DONE | flags));
    expect(victim.said()).toEqual([`reset 1 ${protocolError}`]);
    expect(log.reset?.by).toBe("fault");
    expect(victim.log.failure).toBeNull();
  });
});

describe("floods", () => {
  const budget = { burst: 20, perSecond: 1 };
  const many = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const calm = `goaway ${enhanceYourCalm}`;

  it.each<[string, string, Buffer[]]>([
    ["rapid reset", "rapid-reset", many(21, (i) => [get(2 * i + 1), reset(2 * i + 1)]).flat()],
    ["PING", "control-flood", many(21, ping)],
    ["SETTINGS", "control-flood", many(21, () => SETTINGS)],
    ["PRIORITY", "control-flood", many(21, () => frame(2, 0, 1, Array(5).fill(0)))],
    ["frames of unknown types", "control-flood", many(21, () => frame(99, 0, 0))],
    ["empty DATA", "empty-flood", [post(1), ...many(21, () => data(1, 0))]],
    ["padding alone", "empty-flood", [post(1), ...many(21, () => frame(0, 8, 1, [1, 0]))]],
    ["WINDOW_UPDATE by 1", "window-flood", [post(1), ...many(21, () => windowUpdate(1, 1))]],
    ["streams beyond the limit", "rapid-reset", many(25, (i) => get(2 * i + 1))],
    [
      "requests that we have to reset",
      "rapid-reset",
      many(21, (i) => [
        headers(2 * i + 1, [...GET, ["connection", "x"]], END | HEADERS_DONE),
        reset(2 * i + 1),
      ]).flat(),
    ],
    [
      "CONTINUATION without end",
      "continuation-flood",
      [headers(1, GET, 0), ...many(20, () => frame(FrameType.continuation, 0, 1))],
    ],
    [
      "CONTINUATION of too many octets",
      "continuation-flood",
      [
        headers(1, GET, 0),
        ...many(5, () => frame(FrameType.continuation, 0, 1, Array(16_000).fill(0x82))),
      ],
    ],
  ])("%s: ENHANCE_YOUR_CALM", (_what, reason, frames) => {
    const victim = Victim.ready({
      resets: budget,
      control: { burst: 22, perSecond: 1 },
      emptyData: budget,
      windowUpdates: budget,
      concurrentStreams: 4,
    });
    // The handshake took two of the budget of control.
    victim.hear(...frames);
    expect(victim.log.failure?.reason).toBe(reason);
    expect(victim.said().at(-1)).toBe(calm);
  });

  it("resets among as many requests that are served: are taken", () => {
    const victim = Victim.ready({ resets: budget });
    const { session, log } = victim;
    if (!("sendHead" in session)) throw new Error("no server");
    for (let i = 0; i < 100; i++) {
      victim.hear(get(4 * i + 1), reset(4 * i + 1), get(4 * i + 3));
      session.sendHead(log.streams.at(-1)!.stream!, new ResponseHead(), "none", -1);
    }
    expect(log.failure).toBeNull();
  });

  it("interim responses without end: ENHANCE_YOUR_CALM", () => {
    const victim = new Victim("client", { control: budget });
    const client = victim.session;
    if (!("open" in client)) throw new Error("no client");
    const head = new RequestHead();
    head.fields.append("Host", "a");
    client.sendRequest(client.open(new StreamLog(false))!, head, "http", "none", -1);
    victim.hear(SETTINGS, ...many(21, () => headers(1, [[":status", "103"]], HEADERS_DONE)));
    expect(victim.log.failure?.reason).toBe("control-flood");
  });

  it("the same frames, slowly: are taken", () => {
    const victim = Victim.ready({ resets: budget, control: { burst: 22, perSecond: 1 } });
    for (let i = 0; i < 100; i++) {
      victim.hear(get(2 * i + 1), reset(2 * i + 1), ping());
      victim.clock.advance(1_000_000);
    }
    expect(victim.log.failure).toBeNull();
  });

  it("PINGs whose answers are not read: ENHANCE_YOUR_CALM before memory fills", () => {
    const victim = Victim.ready({
      control: { burst: 1e6, perSecond: 0 },
      unreadAnswers: 1000,
    });
    victim.sink.full = true;
    victim.hear(ping());
    for (let i = 0; i < 58; i++) victim.hear(ping());
    expect(victim.log.failure).toBeNull();
    victim.hear(ping());
    expect(victim.log.failure?.reason).toBe("unread-answers");
  });

  it("a HPACK bomb: the head is refused, the connection lives", () => {
    const victim = Victim.ready({ headerList: 10_000 });
    const large = Buffer.from(`\x40\x01a\x7f\x81\x1f${"x".repeat(4096 - 64)}`, "latin1");
    large[4] = 0x80 | ((4096 - 64 - 127) & 0x7f);
    large[5] = (4096 - 64 - 127) >> 7;
    const block = Buffer.concat([Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]), large]);
    const bomb = Buffer.concat([block, Buffer.alloc(10_000, 0xbe)]);
    victim.hear(frame(FrameType.headers, END | HEADERS_DONE, 1, bomb), ping());
    expect(victim.log.streams[0]!.events).toEqual(["malformed head-too-large"]);
    expect(victim.said()).toEqual(["ping ack"]);
  });

  it("a window kept shut: the stream is reset after the time that is allowed", () => {
    const victim = Victim.ready().hear(settings(4, 0), get(1));
    const { session, log, clock } = victim;
    if (!("sendHead" in session)) throw new Error("no server");
    const { stream } = log.streams[0]!;
    session.sendHead(stream!, new ResponseHead(), "length", 5);
    expect(session.sendData(stream!, new Uint8Array(5), 0, 5)).toBe(false);
    session.sendEnd(stream!, null);
    session.flush();
    victim.sink.take();
    expect(session.nextTimeout()).toBe(clock.at + 60_000_000);
    clock.advance(60_000_000);
    session.handleTimeout();
    expect(victim.said()).toEqual([`reset 1 ${enhanceYourCalm}`]);
    expect(session.openStreams).toBe(0);
  });

  it("a frame that never ends: given up after the time that is allowed; one that goes on is not", () => {
    for (const cut of [5, 12]) {
      const victim = Victim.ready().hear(get(1).subarray(0, cut));
      victim.clock.advance(9_000_000);
      victim.hear(get(1).subarray(cut), get(3).subarray(0, cut));
      victim.clock.advance(9_000_000);
      victim.session.handleTimeout();
      expect(victim.log.failure).toBeNull();
      victim.hear(get(3).subarray(cut, cut + 1));
      victim.clock.advance(1_000_000);
      victim.session.handleTimeout();
      expect(victim.log.failure?.reason).toBe("head-timeout");
    }
  });

  it("a field block that never ends: given up after the time that is allowed", () => {
    const victim = Victim.ready().hear(headers(1, GET, END));
    victim.clock.advance(10_000_000);
    victim.session.handleTimeout();
    expect(victim.log.failure?.reason).toBe("head-timeout");
  });
});
