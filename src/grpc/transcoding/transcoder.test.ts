import { create, fromBinary, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { AnySchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { libraryDescriptors, libraryMethods } from "../testing/library-descriptors.ts";
import { BadRequest } from "./field-text.ts";
import { BadDescriptors } from "./http-rule.ts";
import { transcodingDefaults } from "./options.ts";
import { statusJson } from "./status-json.ts";
import { Transcoder } from "./transcoder.ts";

fc.configureGlobal({ seed: 20_261_126, numRuns: 300 });

const descriptors = libraryDescriptors();
const transcoder = new Transcoder(descriptors);

/** The method that a request calls and its message as JSON, names as in the .proto file. */
function call(
  method: string,
  target: string,
  body: string | Uint8Array = "",
  options = transcodingDefaults,
  contentType = "application/json",
): readonly [method: string, message: JsonValue] {
  const used =
    options === transcodingDefaults ? transcoder : new Transcoder(descriptors, null, options);
  const [path, query = ""] = target.split("?") as [string, string?];
  const found = used.find(method, path);
  if (!("target" in found)) throw new Error(`nothing at ${method} ${target}`);
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const input = { values: found.values, query, body: bytes, contentType };
  const schema = found.target.method.input;
  const message = fromBinary(schema, used.request(found.target, input));
  return [
    found.target.method.name,
    toJson(schema, message, { useProtoFieldName: true }) as JsonValue,
  ];
}

describe("requests", () => {
  test.each([
    ["GET", "/v1/shelves/7", "", "GetShelf", { name: "shelves/7" }],
    ["GET", "/v1/any/a/b", "", "GetShelf", { name: "a/b" }],
    ["GET", "/v1/shelves", "", "ListShelves", {}],
    [
      "GET",
      "/v1/shelves?page_size=5&pageToken=x%20y+z",
      "",
      "ListShelves",
      { page_size: 5, page_token: "x y z" },
    ],
    ["GET", "/v1/shelves?tags=a&tags=b", "", "ListShelves", { tags: ["a", "b"] }],
    [
      "GET",
      "/v1/shelves?filter.kind=FICTION&filter.min_books=9007199254740993",
      "",
      "ListShelves",
      { filter: { kind: "FICTION", min_books: "9007199254740993" } },
    ],
    [
      "GET",
      "/v1/shelves?filter.kind=1&deep=true",
      "",
      "ListShelves",
      { filter: { kind: "FICTION" }, deep: true },
    ],
    [
      "GET",
      "/v1/shelves?after=2026-11-21T00:00:00Z&limit=3",
      "",
      "ListShelves",
      { after: "2026-11-21T00:00:00Z", limit: 3 },
    ],
    [
      "POST",
      "/v1/shelves?request_id=r1",
      '{"theme":"sea","bookCount":"3"}',
      "CreateShelf",
      { shelf: { theme: "sea", book_count: "3" }, request_id: "r1" },
    ],
    ["POST", "/v1/shelves", "", "CreateShelf", {}],
    [
      "PATCH",
      "/v1/shelves/7",
      '{"shelf":{"theme":"sea","name":"other"},"request_id":"q"}',
      "UpdateShelf",
      { shelf: { name: "shelves/7", theme: "sea" }, request_id: "q" },
    ],
    ["POST", "/v1/shelves/7/a:archive", "{}", "ArchiveShelf", { name: "shelves/7/a" }],
    ["GET", "/v1/search/gr%C3%B6%C3%9Fe?count=2", "", "Search", { query: "größe", count: 2 }],
  ] as const)("%s %s, is %s of %s", (method, target, body, rpc, message) => {
    expect(call(method, target, body)).toEqual([rpc, message]);
  });

  test.each([
    ["GET", "/v1/shelves?nothing=1", "", "no field nothing"],
    ["GET", "/v1/shelves?page_size=x", "", "int32"],
    ["GET", "/v1/shelves?page_size=1&page_size=2", "", "more than once"],
    ["GET", "/v1/shelves?filter=x", "", "is a message"],
    ["GET", "/v1/shelves?deep=maybe", "", "true or false"],
    ["GET", "/v1/shelves?filter.kind=NONSENSE", "", "NONSENSE"],
    ["GET", "/v1/shelves/7?name=x", "", "given by the path"],
    ["POST", "/v1/shelves?shelf.name=x", "{}", "given by the path or the body"],
    ["POST", "/v1/shelves", "{", "no JSON"],
    ["POST", "/v1/shelves", '{"colour":1}', "colour"],
    ["POST", "/v1/shelves", "[]", "library.Shelf"],
    ["POST", "/v1/shelves", '{"__proto__":{"theme":"x"}}', "__proto__"],
    ["POST", "/v1/shelves", '{"theme":7}', "theme"],
  ] as const)("%s %s %s, is refused: %s", (method, target, body, why) => {
    expect(() => call(method, target, body)).toThrow(BadRequest);
    expect(() => call(method, target, body)).toThrow(why);
  });

  test("a body that is no UTF-8, is refused", () => {
    expect(() => call("POST", "/v1/shelves", Uint8Array.of(0x22, 0xff, 0x22))).toThrow(BadRequest);
  });

  test("unknown names, are passed over when that is asked for", () => {
    const options = { ...transcodingDefaults, ignoreUnknown: true };
    expect(call("POST", "/v1/shelves?x=1", '{"theme":"a","colour":1}', options)).toEqual([
      "CreateShelf",
      { shelf: { theme: "a" } },
    ]);
  });

  test("any query and any body, give a message or a BadRequest", () => {
    const unit = fc.constantFrom(..."pagesize_tokndmfilr.=&%[]{}\"':,019+");
    fc.assert(
      fc.property(fc.string({ unit }), fc.string({ unit }), (query, body) => {
        try {
          call("POST", `/v1/shelves?${query}`, body);
        } catch (error) {
          expect(error).toBeInstanceOf(BadRequest);
        }
      }),
    );
  });
});

describe("responses", () => {
  /** What a method's answer, given as JSON, looks like over HTTP. */
  function answer(path: string, message: Uint8Array, options = transcodingDefaults) {
    const used = new Transcoder(descriptors, null, options);
    const found = used.find("GET", path);
    if (!("target" in found)) throw new Error(path);
    const { contentType, bytes } = used.response(found.target, message);
    return [contentType, Buffer.from(bytes).toString()];
  }

  const shelfSchema = transcoder.registry.getMessage("library.Shelf")!;
  const shelf = toBinary(
    shelfSchema,
    create(shelfSchema, {
      name: "shelves/1",
      bookCount: 2n,
      createdAt: create(TimestampSchema, { seconds: 1n }),
    }),
  );

  test("a message, is JSON in camelCase without defaults", () => {
    expect(answer("/v1/shelves/1", shelf)).toEqual([
      "application/json",
      '{"name":"shelves/1","bookCount":"2","createdAt":"1970-01-01T00:00:01Z"}',
    ]);
  });

  test("names of the .proto file and defaults, when asked for", () => {
    const options = { ...transcodingDefaults, protoNames: true, emitDefaults: true };
    expect(JSON.parse(answer("/v1/shelves/1", shelf, options)[1]!)).toEqual({
      name: "shelves/1",
      theme: "",
      book_count: "2",
      kind: "OTHER",
      created_at: "1970-01-01T00:00:01Z",
    });
  });

  test("a response_body, is that field alone, empty or not", () => {
    const list = Buffer.concat([Uint8Array.of(0x0a, shelf.length), shelf]);
    expect(JSON.parse(answer("/v1/shelves:bare", list)[1]!)).toMatchObject([{ name: "shelves/1" }]);
    expect(answer("/v1/shelves:bare", new Uint8Array())[1]).toBe("[]");
  });

  test("HttpBody, is its bytes under its type", () => {
    const schema = transcoder.registry.getMessage("google.api.HttpBody")!;
    const body = toBinary(
      schema,
      create(schema, { contentType: "text/x", data: new TextEncoder().encode("raw") }),
    );
    expect(answer("/v1/shelves/1/cover", body)).toEqual(["text/x", "raw"]);
  });
});

describe("descriptor sets", () => {
  test("methods that stream requests, are named as unsupported; those without a rule are not served", () => {
    expect(transcoder.unsupported).toEqual(["library.Library.Upload"]);
    expect(transcoder.find("POST", "/library.Library/Unbound")).toEqual({ methods: [] });
  });

  test("bytes that are no set, an unknown service, no rules at all: refused", () => {
    expect(() => new Transcoder(Uint8Array.of(1, 2, 3))).toThrow(BadDescriptors);
    expect(() => new Transcoder(descriptors, ["library.Other"])).toThrow("library.Other");
    const { Unbound } = libraryMethods;
    expect(() => new Transcoder(libraryDescriptors({ Unbound: Unbound! }))).toThrow(
      "include_imports",
    );
  });

  test.each([
    [{ get: "/v1/{nothing}" }, "no single field nothing"],
    [{ get: "/v1/{" }, "expected a field's path"],
    [{ post: "/v1", body: "nothing" }, "no field nothing"],
    [{ get: "/v1", responseBody: "nothing" }, "no field nothing"],
    [{ get: "/v1/shelves" }, "leads to another method"],
  ])("a rule of %j, is refused: %s", (http, why) => {
    const Wrong = { input: "library.GetShelf", output: "library.Shelf", http };
    const methods = { ListShelves: libraryMethods.ListShelves!, Wrong };
    expect(() => new Transcoder(libraryDescriptors(methods))).toThrow(why);
  });
});

describe("statuses", () => {
  const text = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

  test("details, are shown by their type, or as bytes where it is unknown", () => {
    const any = (typeUrl: string, value: Uint8Array) =>
      toBinary(AnySchema, create(AnySchema, { typeUrl, value }));
    const known = any("type.googleapis.com/library.GetShelf", Uint8Array.of(0x0a, 1, 0x61));
    const unknown = any("type.googleapis.com/x.Y", Uint8Array.of(1, 2));
    const status = Buffer.concat(
      [known, unknown].map((one) => Buffer.concat([Uint8Array.of(0x1a, one.length), one])),
    );
    const details = status.toString("base64").replace(/=+$/, "");
    expect(text(statusJson(5, "none", details, transcoder.registry))).toEqual({
      code: 5,
      message: "none",
      details: [
        { "@type": "type.googleapis.com/library.GetShelf", name: "a" },
        { "@type": "type.googleapis.com/x.Y", value: "AQI=" },
      ],
    });
  });

  test("details that cannot be read, are left out", () => {
    for (const details of [undefined, "!!", "GgU="]) {
      expect(text(statusJson(13, "m", details, null))).toEqual({
        code: 13,
        message: "m",
        details: [],
      });
    }
  });
});
