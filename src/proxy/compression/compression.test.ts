import { describe, expect, test } from "vitest";
import { RequestHead, ResponseHead } from "../../http/head.ts";
import { type CompressionOptions, createCompression } from "./compression.ts";

type FieldMap = Readonly<Record<string, string>>;

function request(fields: FieldMap, method = "GET"): RequestHead {
  const head = new RequestHead();
  head.method = method;
  for (const [name, value] of Object.entries(fields)) head.fields.append(name, value);
  return head;
}

function response(fields: FieldMap, status = 200, framing: "length" | "none" = "length") {
  const head = new ResponseHead();
  head.status = status;
  head.framing = framing;
  for (const [name, value] of Object.entries(fields)) head.fields.append(name, value);
  return head;
}

const fieldsOf = (head: ResponseHead): FieldMap =>
  Object.fromEntries([...head.fields].map(([name, value]) => [name.toLowerCase(), value]));

/** What becomes of a response, its head after both decisions. */
function outcome(asked: RequestHead, answered: ResponseHead, options: CompressionOptions = {}) {
  const compression = createCompression(options);
  const decoded = compression.decoding(asked, answered);
  const encoded = compression.encoding(asked, answered);
  return { decoded, encoded, fields: fieldsOf(answered) };
}

const gzipOnly = request({ "Accept-Encoding": "gzip" });
const page = { "Content-Type": "text/html", "Content-Length": "5000" };

describe("encoding", () => {
  test("a page: the head speaks of the coded body, and of nothing that the coding changed", () => {
    const { encoded, fields } = outcome(
      gzipOnly,
      response({
        ...page,
        ETag: '"v1"',
        Vary: "Cookie",
        "Accept-Ranges": "bytes",
        "Content-Digest": "sha-256=:x:",
        "Repr-Digest": "sha-256=:x:",
        "Last-Modified": "then",
      }),
    );
    expect(encoded).toBe("gzip");
    expect(fields).toEqual({
      "content-type": "text/html",
      "last-modified": "then",
      etag: 'W/"v1~z"',
      vary: "Accept-Encoding",
      "content-encoding": "gzip",
    });
  });

  test.each<[string, RequestHead, FieldMap, number, string | null]>([
    ["no Accept-Encoding", request({}), page, 200, "Accept-Encoding"],
    ["gzip refused", request({ "Accept-Encoding": "gzip;q=0" }), page, 200, "Accept-Encoding"],
    ["an image", gzipOnly, { ...page, "Content-Type": "image/png" }, 200, null],
    ["gRPC", gzipOnly, { "Content-Type": "application/grpc+json" }, 200, null],
    ["no type", gzipOnly, { "Content-Length": "5000" }, 200, null],
    ["short", gzipOnly, { ...page, "Content-Length": "1023" }, 200, null],
    ["empty", gzipOnly, { ...page, "Content-Length": "0" }, 200, null],
    ["no-transform", gzipOnly, { ...page, "Cache-Control": "public, No-Transform" }, 200, null],
    [
      "no-transform asked for",
      request({ "Accept-Encoding": "gzip", "Cache-Control": "no-transform" }),
      page,
      200,
      null,
    ],
    ["a part", gzipOnly, { ...page, "Content-Range": "bytes 0-9/5000" }, 206, null],
    ["no such range", gzipOnly, { ...page, "Content-Range": "bytes */5000" }, 416, null],
    ["204", gzipOnly, page, 204, null],
    ["304", gzipOnly, { ...page, ETag: '"v1"' }, 304, null],
    ["an unknown coding", gzipOnly, { ...page, "Content-Encoding": "lzma" }, 200, null],
    ["two codings", gzipOnly, { ...page, "Content-Encoding": "br, gzip" }, 200, null],
  ])("%s: goes as it came", (_, asked, fields, status, vary) => {
    const before = Object.fromEntries(Object.entries(fields).map(([k, v]) => [k.toLowerCase(), v]));
    const result = outcome(asked, response(fields, status));
    expect(result).toEqual({
      decoded: null,
      encoded: null,
      fields: vary === null ? before : { ...before, vary },
    });
  });

  test.each(["*", "accept-encoding", "Cookie, Accept-Encoding"])(
    "Vary %s already: stays as it is",
    (vary) => {
      expect(outcome(gzipOnly, response({ ...page, Vary: vary })).fields.vary).toBe(vary);
    },
  );

  test("HEAD: says what GET would have said, without a body", () => {
    const asked = request({ "Accept-Encoding": "gzip" }, "HEAD");
    const { encoded, fields } = outcome(asked, response({ ...page, ETag: '"1"' }, 200, "none"));
    expect(encoded).toBe("gzip");
    expect(fields).toMatchObject({ "content-encoding": "gzip", etag: 'W/"1~z"' });
    expect(fields["content-length"]).toBeUndefined();
  });

  test("a short body for a client that refuses the plain form: is compressed", () => {
    const asked = request({ "Accept-Encoding": "gzip, identity;q=0" });
    expect(outcome(asked, response({ ...page, "Content-Length": "9" })).encoded).toBe("gzip");
  });

  test("a body without an announced length: is compressed", () => {
    expect(outcome(gzipOnly, response({ "Content-Type": "text/html" })).encoded).toBe("gzip");
  });

  test("an error's page: is compressed, too", () => {
    expect(outcome(gzipOnly, response(page, 500)).encoded).toBe("gzip");
  });
});

describe("decoding", () => {
  const zipped = { ...page, "Content-Encoding": "gzip", ETag: '"g"' };

  test("what the client accepts: stays coded, though what others get varies", () => {
    const { decoded, encoded, fields } = outcome(gzipOnly, response(zipped));
    expect([decoded, encoded]).toEqual([null, null]);
    expect(fields).toMatchObject({ "content-encoding": "gzip", vary: "Accept-Encoding" });
  });

  test.each([{}, { "Accept-Encoding": "identity" }, { "Accept-Encoding": "gzip;q=0" }])(
    "for a client that says %j: is decoded",
    (fields) => {
      const result = outcome(request(fields), response(zipped));
      expect(result.decoded).toBe("gzip");
      expect(result.encoded).toBeNull();
      expect(result.fields).toEqual({
        "content-type": "text/html",
        etag: 'W/"g~z"',
        vary: "Accept-Encoding",
      });
    },
  );

  test("decompress: true: is decoded and coded anew, and the upstream asked for the plain form", () => {
    const options = { decompress: true };
    expect(outcome(gzipOnly, response(zipped), options)).toMatchObject({
      decoded: "gzip",
      encoded: "gzip",
    });
    const out = request({ "Accept-Encoding": "gzip, br" });
    createCompression(options).prepareRequest(out);
    expect(out.fields.getAll("accept-encoding")).toEqual(["identity"]);
  });

  test("no-transform: stays coded even for hooks", () => {
    const options = { decompress: true };
    const kept = response({ ...zipped, "Cache-Control": "no-transform" });
    expect(outcome(gzipOnly, kept, options).decoded).toBeNull();
  });

  test("no encodings: decodes, and never encodes", () => {
    const options = { encodings: [], decompress: true };
    expect(outcome(gzipOnly, response(zipped), options)).toMatchObject({
      decoded: "gzip",
      encoded: null,
    });
  });
});

describe("conditional requests", () => {
  test("tags of ours: the upstream sees its own", () => {
    const out = request({ "If-None-Match": 'W/"a~z", "b"', "If-Match": 'W/"c~z"' });
    createCompression().prepareRequest(out);
    expect(out.fields.get("if-none-match")).toBe('"a", "b"');
    expect(out.fields.get("if-match")).toBe('"c"');
  });

  test("a 304 for a body in a coding of ours: has the tag that we gave it", () => {
    const asked = request({ "Accept-Encoding": "gzip", "If-None-Match": 'W/"v1~z"' });
    const { fields } = outcome(asked, response({ ETag: '"v1"' }, 304, "none"));
    expect(fields).toEqual({ etag: 'W/"v1~z"', vary: "Accept-Encoding" });
  });

  test("a 304 for the plain body: has the upstream's tag", () => {
    const asked = request({ "Accept-Encoding": "gzip", "If-None-Match": '"v1"' });
    const { fields } = outcome(asked, response({ ETag: '"v1"' }, 304, "none"));
    expect(fields).toEqual({ etag: '"v1"' });
  });
});

test.each<[CompressionOptions]>([
  [{ encodings: ["lzma" as "gzip"] }],
  [{ level: 0 }],
  [{ level: { gzip: 10 } }],
  [{ level: { zstd: 2.5 } }],
  [{ minLength: Number.NaN }],
  [{ limits: { decodedSize: 1, ratio: 0 } }],
])("options that make no sense, %j, are refused", (options) => {
  expect(() => createCompression(options)).toThrow(TypeError);
});
