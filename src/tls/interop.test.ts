import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SocketAddress } from "../core/address.ts";
import type { NetError } from "../core/errors.ts";
import type { Listener, StreamHandler } from "../core/transport.ts";
import { createEpollTransport, type EpollTransport } from "../drivers/epoll/transport.ts";
import { at } from "../drivers/testing/world.ts";
import { acceptTls } from "./accept.ts";
import { createTlsClient, type TlsClient } from "./client.ts";
import { connectTls } from "./connect.ts";
import { createTlsServer } from "./server.ts";
import type { TlsServerConfig } from "./server-config.ts";
import type { TlsStream } from "./stream-api.ts";
import { type IssuedPair, TestAuthority } from "./testing/authority.ts";

let authority: TestAuthority;
let one: IssuedPair;
let folder: string;
let transport: EpollTransport;
const closing: (() => void)[] = [];

beforeAll(() => {
  authority = new TestAuthority();
  one = authority.issue({ names: ["one.test"] });
  folder = mkdtempSync(join(tmpdir(), "millrace-interop-"));
  writeFileSync(path("ca.pem"), authority.pem);
  writeFileSync(path("one.pem"), one.certificate);
  writeFileSync(path("one.key"), one.key);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  authority[Symbol.dispose]();
});
beforeEach(() => {
  transport = createEpollTransport({
    onFault(error) {
      throw error;
    },
  });
});
afterEach(() => {
  transport.close();
  for (const close of closing.splice(0)) close();
});

const path = (name: string): string => join(folder, name);

interface Echo {
  readonly port: number;
  readonly failures: NetError[];
  readonly streams: TlsStream[];
}

/** A server of ours that gives back what it is sent, and ends when the peer does. */
async function echo(config: Partial<TlsServerConfig> = {}): Promise<Echo> {
  const server = createTlsServer({ certificates: [one], alpn: ["h2", "http/1.1"], ...config });
  closing.push(() => server.close());
  const failures: NetError[] = [];
  const streams: TlsStream[] = [];
  const onFailure = (error: NetError): void => {
    failures.push(error);
  };
  const listener: Listener = await transport.listen(
    at("127.0.0.1:0"),
    {},
    acceptTls({ server, transport, onFailure }, (stream) => {
      streams.push(stream);
      const handler: StreamHandler = {
        onData(buf, start, end) {
          stream.write(buf, start, end);
        },
        onWritable() {},
        onEnd() {
          stream.end();
        },
        onClose() {},
      };
      return handler;
    }),
  );
  return { port: portOf(listener.address), failures, streams };
}

const portOf = (address: SocketAddress): number => (address.kind === "ip" ? address.port : 0);

/** What a client of ours gets for `text` from a server; it ends after sending. */
function ask(port: number, client: TlsClient, text: string): Promise<[string, TlsStream]> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const options = { client, target: { serverName: "one.test" } };
    const stream = connectTls(transport, at(`127.0.0.1:${port}`), options, {
      onConnect() {
        const bytes = Buffer.from(text);
        stream.write(bytes, 0, bytes.length);
      },
      onData(buf, start, end) {
        answer += Buffer.from(buf.subarray(start, end)).toString();
        if (answer.length >= text.length) stream.end();
      },
      onWritable() {},
      onEnd() {},
      onClose(error) {
        if (error === null) resolve([answer, stream]);
        else reject(error);
      },
    });
  });
}

describe("node:tls against our server", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: echo, ALPN, resumption, close",
    async (version) => {
      const { port, failures } = await echo();
      let session: Buffer | undefined;
      const talk = async (): Promise<object> => {
        const socket = tls.connect({
          port,
          host: "127.0.0.1",
          servername: "one.test",
          ca: authority.pem,
          ALPNProtocols: ["http/1.1"],
          maxVersion: version,
          ...(session === undefined ? {} : { session }),
        });
        socket.on("session", (fresh) => {
          session = fresh;
        });
        await once(socket, "secureConnect");
        const found = {
          version: socket.getProtocol(),
          alpn: socket.alpnProtocol,
          resumed: socket.isSessionReused(),
        };
        const big = "echo ".repeat(50_000);
        let text = "";
        socket.setEncoding("utf8");
        socket.on("data", (piece) => {
          text += piece;
          if (text.length === big.length) socket.end();
        });
        socket.write(big);
        await once(socket, "close");
        expect(text === big).toBe(true);
        return found;
      };
      expect(await talk()).toEqual({ version, alpn: "http/1.1", resumed: false });
      expect(await talk()).toEqual({ version, alpn: "http/1.1", resumed: true });
      expect(failures).toEqual([]);
    },
  );

  test("a client that trusts others: its alert is told as a failure", async () => {
    const { port, failures } = await echo();
    const socket = tls.connect({ port, host: "127.0.0.1", servername: "one.test" });
    const [error] = (await once(socket, "error")) as [Error & { code: string }];
    expect(error.code).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    // node:tls verifies after the handshake, and leaves without a word.
    expect(failures).toEqual([]);
  });
});

describe("our client against node:tls", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: echo, client's certificate, resumption",
    async (maxVersion) => {
      const subjects: string[] = [];
      const resumed: boolean[] = [];
      const server = tls.createServer(
        {
          cert: one.certificate,
          key: one.key,
          ca: authority.pem,
          requestCert: true,
          rejectUnauthorized: true,
          maxVersion,
          ALPNProtocols: ["h2"],
        },
        (socket) => {
          subjects.push(socket.getPeerX509Certificate()?.subject ?? "");
          resumed.push(socket.isSessionReused());
          socket.pipe(socket);
        },
      );
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      closing.push(() => server.close());
      const { port } = server.address() as { port: number };
      const certificate = authority.issue({ commonName: "client 7" });
      const client = createTlsClient({ ca: [authority.pem], alpn: ["h2"], certificate });
      closing.push(() => client.close());
      for (let i = 0; i < 2; i++) {
        const text = "echo ".repeat(60_000);
        const [answer, stream] = await ask(port, client, text);
        expect(answer === text).toBe(true);
        expect(stream.connection).toMatchObject({ version: maxVersion, alpn: "h2" });
      }
      expect(subjects.every((subject) => subject === "O=Test\nCN=client 7")).toBe(true);
      expect(resumed).toEqual([false, true]);
    },
  );
});

describe("openssl", () => {
  test.each(["-tls1_2", "-tls1_3"])(
    "s_client %s: verifies, is given the staple, and echoes",
    async (version) => {
      const { port } = await echo({ certificates: [{ ...one, ocspStaple: ocspResponse() }] });
      const child = spawn("openssl", [
        ...["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "one.test", version],
        ...["-CAfile", path("ca.pem"), "-verify_return_error", "-status", "-alpn", "http/1.1"],
      ]);
      let out = "";
      child.stdout.setEncoding("latin1").on("data", (piece: string) => {
        out += piece;
        if (out.includes("said and given back\n")) child.stdin.end();
      });
      child.stdin.write("said and given back\n");
      await once(child, "close");
      expect(out).toContain("Verify return code: 0 (ok)");
      expect(out).toContain("OCSP Response Status: successful");
      expect(out).toContain("ALPN protocol: http/1.1");
      expect(out).toContain("said and given back");
    },
  );

  test("s_server: our client verifies it and echoes through -rev", async () => {
    const port = await freePort();
    const child = spawn("openssl", [
      ...["s_server", "-accept", `127.0.0.1:${port}`, "-rev", "-cert", path("one.pem")],
      ...["-key", path("one.key"), "-alpn", "x"],
    ]);
    closing.push(() => child.kill());
    let out = "";
    child.stdout.on("data", (piece: Buffer) => {
      out += piece.toString();
    });
    while (!out.includes("ACCEPT")) await once(child.stdout, "data");
    const client = createTlsClient({ ca: [authority.pem], alpn: ["x"] });
    closing.push(() => client.close());
    const [answer, stream] = await ask(port, client, "stressed\n");
    expect(answer).toBe("desserts\n");
    expect(stream.connection).toMatchObject({ version: "TLSv1.3", alpn: "x" });
  });

  /** A response about the certificate, signed by itself: what it says is not our affair. */
  function ocspResponse(): Buffer {
    writeFileSync(path("index.txt"), "");
    const run = (args: readonly string[]): void => {
      execFileSync("openssl", ["ocsp", ...args], { stdio: "pipe" });
    };
    const [request, response] = [path("request.der"), path("response.der")];
    run(["-issuer", path("ca.pem"), "-cert", path("one.pem"), "-reqout", request, "-no_nonce"]);
    run([
      ...["-index", path("index.txt"), "-CA", path("ca.pem"), "-reqin", request],
      ...["-rsigner", path("one.pem"), "-rkey", path("one.key"), "-respout", response],
    ]);
    return readFileSync(response);
  }
});

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
