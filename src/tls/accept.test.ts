import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { NetError } from "../core/errors.ts";
import { after, seconds } from "../core/time.ts";
import type { ConnectHandler, Stream, StreamHandler, Transport } from "../core/transport.ts";
import { MemoryNetwork } from "../drivers/memory/network.ts";
import { Recorder } from "../drivers/testing/recorder.ts";
import { at } from "../drivers/testing/world.ts";
import { acceptTls } from "./accept.ts";
import { createTlsClient, type TlsClient } from "./client.ts";
import { connectTls } from "./connect.ts";
import { createTlsServer, type TlsServer } from "./server.ts";
import type { TlsAcceptOptions } from "./stream-api.ts";
import { TestAuthority } from "./testing/authority.ts";

let server: TlsServer;
let client: TlsClient;
let network: MemoryNetwork;
let transport: Transport;
let failures: NetError[];

beforeAll(() => {
  using authority = new TestAuthority();
  server = createTlsServer({ certificates: [authority.issue({ names: ["one.test"] })] });
  client = createTlsClient({ ca: [authority.pem] });
});
afterAll(() => {
  server.close();
  client.close();
});
beforeEach(() => {
  network = new MemoryNetwork({
    seed: 3,
    onFault(error) {
      throw error;
    },
  });
  transport = network.transport("192.0.2.7");
  failures = [];
});
afterEach(() => transport.close());

const address = at("192.0.2.7:443");

/** Listens with TLS; the next stream belongs to the recorder that comes back. */
async function listen(options: Partial<TlsAcceptOptions> = {}): Promise<Recorder> {
  const recorder = new Recorder("server");
  const onFailure = (error: NetError): void => {
    failures.push(error);
  };
  const settings = { server, transport, onFailure, ...options };
  const acceptor = acceptTls(settings, (stream) => {
    recorder.stream = stream;
    return recorder;
  });
  await transport.listen(address, {}, acceptor);
  return recorder;
}

function connect(serverName = "one.test"): Recorder {
  const recorder = new Recorder("client");
  recorder.stream = connectTls(transport, address, { client, target: { serverName } }, recorder);
  return recorder;
}

/** A connection without TLS, to see and to send what goes over the wire. */
function connectPlain(): Recorder {
  const recorder = new Recorder("plain");
  recorder.stream = transport.connect(address, {}, recorder);
  return recorder;
}

async function settle(): Promise<void> {
  await network.settle(after(network.now, seconds(1)));
}

test("accepted: a client that says nothing is closed when its time is over", async () => {
  const recorder = await listen({ timeout: seconds(3) });
  const silent = connectPlain();
  await network.settle(after(network.now, seconds(2)));
  expect(failures).toEqual([]);
  await network.settle(after(network.now, seconds(2)));
  expect(failures).toMatchObject([{ code: "TLS_TIMEOUT", source: "downstream" }]);
  expect(silent.ended || silent.closed).toBe(true);
  expect(recorder.events).toEqual([]);
});

test("accepted: a client that leaves or talks otherwise is a failure that the acceptor never sees", async () => {
  const recorder = await listen();
  const leaving = connectPlain();
  await settle();
  leaving.act((stream) => stream.end());
  await settle();
  const talking = connectPlain();
  await settle();
  talking.send("GET / HTTP/1.1\r\n\r\n");
  await settle();
  expect(failures.map(({ code }) => code)).toEqual(["TLS_HANDSHAKE", "TLS_HANDSHAKE"]);
  expect(recorder.events).toEqual([]);
});

test("connecting: a certificate of another name closes both ends with words", async () => {
  const recorder = await listen();
  const other = connect("two.test");
  await settle();
  expect(other.closes).toMatchObject([{ code: "TLS_CERTIFICATE", source: "upstream" }]);
  expect(other.connected).toBe(false);
  expect(failures).toMatchObject([{ code: "TLS_HANDSHAKE" }]);
  expect(recorder.events).toEqual([]);
});

test("connecting: a peer that says nothing after TCP is given up in time", async () => {
  const mute: StreamHandler = { onData() {}, onWritable() {}, onEnd() {}, onClose() {} };
  await transport.listen(address, {}, () => mute);
  const waiting = connect();
  await network.settle(after(network.now, seconds(11)));
  expect(waiting.closes).toMatchObject([{ code: "CONNECT_TIMEOUT", retry: "always" }]);
});

test("hello: a handler that takes the connection over gets every byte, and TLS goes through", async () => {
  const behind = at("192.0.2.7:8443");
  const recorder = new Recorder("server");
  const accept = acceptTls({ server, transport }, (stream) => {
    recorder.stream = stream;
    return recorder;
  });
  await transport.listen(behind, {}, accept);
  const names: (string | null)[] = [];
  await listen({
    onHello(hello, stream) {
      names.push(hello.serverName);
      return hello.serverName === "one.test" ? pipe(stream) : null;
    },
  });
  /** Both ways, as they come. */
  function pipe(downstream: Stream): StreamHandler {
    const into = (sink: () => Stream): ConnectHandler => ({
      onConnect() {},
      onData(buf, start, end) {
        sink().write(buf, start, end);
      },
      onWritable() {},
      onEnd() {
        sink().end();
      },
      onClose() {},
    });
    const upstream = transport.connect(
      behind,
      {},
      into(() => downstream),
    );
    return into(() => upstream);
  }
  const caller = connect();
  await settle();
  caller.send("through");
  await settle();
  expect(recorder.text).toBe("through");
  expect(recorder.stream).toMatchObject({ connection: { serverName: "one.test" } });
  expect(names).toEqual(["one.test"]);
  expect(failures).toEqual([]);
});

test("open: a transport that ends without close_notify is a truncation, never an end", async () => {
  // A forwarder without TLS cuts the connection.
  const raw: Stream[] = [];
  const recorder = new Recorder("server");
  const accept = acceptTls({ server, transport }, (stream) => {
    recorder.stream = stream;
    return recorder;
  });
  await transport.listen(address, {}, (stream) => {
    raw.push(stream);
    return accept(stream);
  });
  const caller = connect();
  await settle();
  caller.send("half a mess");
  await settle();
  raw[0]!.end();
  await settle();
  expect(caller.events).toEqual(["connect", "close"]);
  expect(caller.closes).toMatchObject([{ code: "TLS_TRUNCATED", retry: "if-reused" }]);
  expect(recorder.text).toBe("half a mess");
});

test("written in one turn: many small pieces share a record, and order holds around large ones", async () => {
  const sizes: number[] = [];
  const recorder = new Recorder("server");
  const accept = acceptTls({ server, transport }, (stream) => {
    recorder.stream = stream;
    return recorder;
  });
  await transport.listen(address, {}, (stream) => {
    const write = stream.write.bind(stream);
    stream.write = (buf, start, end) => {
      sizes.push(end - start);
      return write(buf, start, end);
    };
    return accept(stream);
  });
  const caller = connect();
  await settle();
  sizes.length = 0;
  recorder.act((stream) => {
    for (const text of ["head ", "5\r\n", "chunk", "\r\n"]) {
      const bytes = Buffer.from(text);
      stream.write(bytes, 0, bytes.length);
    }
    expect(stream.queued).toBe(15);
  });
  await settle();
  expect(caller.text).toBe("head 5\r\nchunk\r\n");
  // 5 bytes of header, one of type, 16 of tag.
  expect(sizes).toEqual([15 + 22]);
  const large = Buffer.alloc(40_000, "large ");
  recorder.act((stream) => {
    stream.write(Buffer.from("<"), 0, 1);
    stream.write(large, 0, large.length);
    stream.write(Buffer.from(">"), 0, 1);
    stream.end();
  });
  await settle();
  expect(caller.text).toBe(`head 5\r\nchunk\r\n<${large.toString()}>`);
  expect(caller.ended).toBe(true);
});
