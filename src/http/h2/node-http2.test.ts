import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import type { ByteSink } from "../../core/transport.ts";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";
import { ClientSession } from "./client-session.ts";
import { ServerSession } from "./server-session.ts";
import type { Session } from "./session.ts";
import { SessionLog, StreamLog, VirtualClock } from "./testing/recorder.ts";

/** Against the HTTP/2 of Node, over loopback. */

const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A session of ours on a socket. */
function drive(socket: net.Socket, make: (sink: ByteSink) => Session): Session {
  const session = make({
    write(buf, start, end) {
      socket.write(Buffer.from(buf.subarray(start, end)));
      return false;
    },
  });
  socket.on("data", (piece: Buffer) => session.receive(piece, 0, piece.length));
  socket.on("error", () => {});
  socket.on("close", () => session.close());
  return session;
}

async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as net.AddressInfo).port;
}

const clock = new VirtualClock();
const BIG = "0123456789abcdef".repeat(40_000);

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

describe("a server session and Node's client", () => {
  const serve = async (onRequest: (log: StreamLog, session: ServerSession) => void) => {
    const owner = new SessionLog();
    let session!: ServerSession;
    owner.onStream = (log) => {
      log.onHeard = (event) => {
        if (event === "data") {
          session.consumed(log.stream!, log.held);
          log.held = 0;
        } else if (event.startsWith("end")) onRequest(log, session);
      };
    };
    const port = await listen(
      net.createServer((socket) => {
        drive(socket, (sink) => {
          session = new ServerSession({ sink, clock }, owner);
          return session;
        });
      }),
    );
    return { client: http2.connect(`http://127.0.0.1:${port}`), owner, session: () => session };
  };

  it("requests with bodies, both ways larger than the windows: whole, with trailers", async () => {
    const { client, owner } = await serve((log, session) => {
      const head = new ResponseHead();
      head.status = 201;
      head.fields.append("Content-Type", "text/plain");
      head.fields.append("Connection", "keep-alive");
      session.sendHead(log.stream!, head, "chunked", -1);
      let sent = 0;
      const more = () => {
        while (sent < log.body.length) {
          const piece = bytesOf(log.body.slice(sent, sent + 50_000));
          sent += piece.length;
          if (session.sendData(log.stream!, piece, 0, piece.length)) return;
        }
        head.fields.clear();
        head.fields.append("X-Sum", "1");
        session.sendEnd(log.stream!, head.fields);
      };
      log.onHeard = (event) => event === "writable" && more();
      more();
      session.flush();
    });
    const texts = await Promise.all(
      [1, 2, 3].map(async (i) => {
        const request = client.request({ ":method": "POST", ":path": `/${i}`, "x-i": `${i}` });
        const response = once(request, "response");
        const trailers = once(request, "trailers");
        request.end(BIG);
        const [fields] = (await response) as [http2.IncomingHttpHeaders];
        expect(fields).toMatchObject({ ":status": 201, "content-type": "text/plain" });
        expect(fields.connection).toBeUndefined();
        const text = await textOf(request);
        expect((await trailers)[0]).toMatchObject({ "x-sum": "1" });
        return text;
      }),
    );
    expect(texts.every((text) => text === BIG)).toBe(true);
    const authority = owner.streams[0]!.request.authority;
    expect(owner.streams.map(({ events }) => events[0])).toEqual(
      [1, 2, 3].map((i) => `head POST /${i} [host: ${authority}|x-i: ${i}] chunked`),
    );
    client.destroy();
  });

  it("many requests that repeat: each answered, by tables that agree", async () => {
    const { client, session } = await serve((log, session) => {
      const head = new ResponseHead();
      head.fields.append("X-Path", log.request.target);
      head.fields.append("Date", "Sat, 21 Nov 2026 09:00:00 GMT");
      head.fields.append("Content-Length", "2");
      session.sendHead(log.stream!, head, "length", 2);
      session.sendData(log.stream!, bytesOf("ok"), 0, 2);
      session.sendEnd(log.stream!, null);
      session.flush();
    });
    for (let i = 0; i < 200; i++) {
      const request = client.request({ ":path": `/${i % 30}`, cookie: "a=b; c=d" });
      const [fields] = (await once(request, "response")) as [http2.IncomingHttpHeaders];
      expect(fields["x-path"]).toBe(`/${i % 30}`);
      expect(await textOf(request)).toBe("ok");
    }
    expect(session().openStreams).toBe(0);
    client.destroy();
  });

  it("drained: what is under way is answered, then the client goes", async () => {
    let came: (log: StreamLog) => void = () => {};
    const first = new Promise<StreamLog>((resolve) => {
      came = resolve;
    });
    const { client, session, owner } = await serve((log) => came(log));
    const request = client.request({ ":path": "/slow" });
    const held = await first;
    const goaway = once(client, "goaway");
    session().drain();
    expect((await goaway)[0]).toBe(0);
    session().sendHead(held.stream!, new ResponseHead(), "none", -1);
    session().flush();
    await once(request, "response");
    await once(client, "close");
    expect(session().finished).toBe(true);
    expect(owner.quiet).toBeGreaterThan(0);
    client.destroy();
  });
});

describe("a client session and Node's server", () => {
  it("requests with and without bodies: answered whole", async () => {
    const server = http2.createServer();
    const socket = net.connect(await listen(server), "127.0.0.1");
    let session!: ClientSession;
    drive(socket, (sink) => {
      session = new ClientSession({ sink, clock }, new SessionLog());
      return session;
    });
    server.on("stream", (stream: http2.ServerHttp2Stream, fields) => {
      stream.additionalHeaders({ ":status": 103, link: "</a>" });
      stream.respond({ ":status": 200, "x-path": String(fields[":path"]) });
      stream.on("data", (piece) => stream.write(piece));
      stream.on("end", () => stream.end());
    });
    session.start();
    const ask = (method: string, path: string, body: string): Promise<StreamLog> =>
      new Promise((resolve) => {
        const log = new StreamLog(false);
        const head = new RequestHead();
        head.method = method;
        head.target = path;
        head.fields.append("Host", "b.example");
        const stream = session.open(log)!;
        let sent = 0;
        const more = () => {
          while (sent < body.length) {
            const piece = bytesOf(body.slice(sent, sent + 30_000));
            sent += piece.length;
            if (session.sendData(stream, piece, 0, piece.length)) return;
          }
          session.sendEnd(stream, null);
        };
        log.onHeard = (event) => {
          if (event === "data") {
            session.consumed(stream, log.held);
            log.held = 0;
          } else if (event === "writable") more();
          else if (event === "end") resolve(log);
        };
        const none = body === "";
        session.sendRequest(stream, head, "http", none ? "none" : "length", body.length);
        if (!none) more();
        session.flush();
      });
    const logs = await Promise.all([ask("POST", "/a", BIG), ask("GET", "/b?c", "")]);
    expect(logs.map(({ body }) => body.length)).toEqual([BIG.length, 0]);
    expect(logs[0]!.body === BIG).toBe(true);
    expect(logs[1]!.events[0]).toBe("head 103 [link: </a>] none");
    expect(logs[1]!.events[1]).toMatch(/^head 200 \[x-path: \/b\?c\|date: .*\] chunked$/);
    expect(session.openStreams).toBe(0);
    socket.destroy();
  });
});
