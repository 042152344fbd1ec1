import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { createTlsClient } from "./client.ts";
import type { TlsClientConfig } from "./client-config.ts";
import { type ClientHello, LONGEST_HELLO, parseClientHello } from "./client-hello.ts";
import { End } from "./testing/engine-pair.ts";

/** What our client begins with. */
function helloOf(serverName: string, config: Partial<TlsClientConfig> = {}): Buffer {
  using client = createTlsClient({ ca: [], verify: "none", ...config });
  const end = new End();
  using engine = client.engine({ serverName }, end);
  engine.start();
  return Buffer.concat(end.outbox);
}

const parse = (bytes: Uint8Array): ReturnType<typeof parseClientHello> =>
  parseClientHello(bytes, 0, bytes.length);

/** The handshake message of one record, as records of these lengths. */
function asRecords(hello: Buffer, lengths: readonly number[]): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < message.length; i++) {
    const piece = message.subarray(at, at + lengths[i % lengths.length]!);
    records.push(Buffer.of(22, 3, 1, piece.length >> 8, piece.length & 255), piece);
    at += piece.length;
  }
  return Buffer.concat(records);
}

let hello: Buffer;
beforeAll(() => {
  hello = helloOf("Example.TEST", { alpn: ["h2", "http/1.1"] });
});

describe("a hello of OpenSSL", () => {
  test("whole: tells name, protocols and version", () => {
    expect(parse(hello)).toEqual({
      serverName: "example.test",
      alpn: ["h2", "http/1.1"],
      tls13: true,
      ticketName: null,
    });
    const old = parse(helloOf("192.0.2.1", { maxVersion: "TLSv1.2" }));
    expect(old).toEqual({ serverName: null, alpn: [], tls13: false, ticketName: null });
  });

  test("in the middle of a buffer, with more behind it: is found where it is", () => {
    const padded = Buffer.concat([Buffer.alloc(7, 9), hello, Buffer.from("early data")]);
    expect(parseClientHello(padded, 7, padded.length)).toEqual(parse(hello));
  });

  test("each prefix: is incomplete", () => {
    for (let end = 0; end < hello.length; end++) {
      expect(parseClientHello(hello, 0, end)).toBe("incomplete");
    }
  });

  test.each([[[60]], [[1, 2, 3, 300]], [[5000]]])(
    "in records of %j bytes: is the same",
    (lengths) => {
      const records = asRecords(hello, lengths);
      expect(parse(records)).toEqual(parse(hello));
      for (let end = 0; end < records.length - lengths[0]!; end += 13) {
        expect(parseClientHello(records, 0, end)).toBe("incomplete");
      }
    },
  );

  test("in records of a byte: is refused, for it is nobody's way of sending one", () => {
    expect(parse(asRecords(hello, [1]))).toBe("malformed");
  });
});

describe("what is no hello", () => {
  test.each([
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n"), "not-tls"],
    ["SSL 2", Buffer.of(0x80, 0x2e, 1, 3, 1), "not-tls"],
    ["an alert", Buffer.of(21, 3, 1, 0, 2, 2, 40), "not-tls"],
    ["another message", Buffer.of(22, 3, 1, 0, 4, 2, 0, 0, 0), "malformed"],
    ["an empty record", Buffer.of(22, 3, 1, 0, 0), "malformed"],
    ["a record that is too long", Buffer.of(22, 3, 1, 0x40, 1), "malformed"],
    ["an empty hello", Buffer.of(22, 3, 1, 0, 4, 1, 0, 0, 0), "malformed"],
  ])("%s", (_, bytes, verdict) => {
    expect(parse(bytes)).toBe(verdict);
  });

  test("a message of more than the limit: is refused by its length alone", () => {
    const length = LONGEST_HELLO + 1;
    const head = Buffer.of(22, 3, 1, 0x40, 0, 1, length >> 16, (length >> 8) & 255, length & 255);
    expect(parse(head)).toBe("malformed");
  });
});

describe("properties", () => {
  const runs = { seed: 20_26, numRuns: 3_000 };

  test("any bytes: give a verdict and no exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        parse(bytes);
        parse(Buffer.concat([Buffer.of(22, 3, 1, 1, 0), bytes]));
      }),
      runs,
    );
  });

  test("a hello with changed bytes: gives a verdict, and names that could be names", () => {
    const change = fc.tuple(fc.nat(hello.length + 2_000), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(hello);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const found = parse(bytes);
        if (typeof found !== "string") checkFacts(found);
      }),
      runs,
    );
  });

  function checkFacts(found: ClientHello): void {
    if (found.serverName !== null) expect(found.serverName).toMatch(/^[!-~]{1,255}$/);
    for (const name of found.alpn) expect(name.length).toBeGreaterThan(0);
  }
});
