import {
  create,
  createFileRegistry,
  type FileRegistry,
  fromJson,
  type JsonValue,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";

type Field = readonly [name: string, number: number, type: string, label?: "repeated"];

const scalars = new Set(["string", "bytes", "bool", "int32", "int64", "double"]);
const optional = "LABEL_OPTIONAL";

const jsonNameOf = (name: string): string =>
  name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());

function fieldJson([name, number, type, label]: Field): JsonValue {
  const base = {
    name,
    number,
    jsonName: jsonNameOf(name),
    label: label === undefined ? optional : "LABEL_REPEATED",
  };
  if (scalars.has(type)) return { ...base, type: `TYPE_${type.toUpperCase()}` };
  const isEnum = type.endsWith("Kind");
  return { ...base, type: isEnum ? "TYPE_ENUM" : "TYPE_MESSAGE", typeName: `.${type}` };
}

const messageJson = (name: string, ...fields: Field[]): JsonValue => ({
  name,
  field: fields.map(fieldJson),
});

/** google/api/http.proto and annotations.proto, as far as they matter. */
const httpProto: JsonValue = {
  name: "google/api/http.proto",
  package: "google.api",
  syntax: "proto3",
  messageType: [
    {
      name: "HttpRule",
      field: [
        fieldJson(["selector", 1, "string"]),
        ...(["get", "put", "post", "delete", "patch"] as const).map((name, i) => ({
          ...(fieldJson([name, i + 2, "string"]) as object),
          oneofIndex: 0,
        })),
        { ...(fieldJson(["custom", 8, "google.api.CustomHttpPattern"]) as object), oneofIndex: 0 },
        fieldJson(["body", 7, "string"]),
        fieldJson(["response_body", 12, "string"]),
        fieldJson(["additional_bindings", 11, "google.api.HttpRule", "repeated"]),
      ],
      oneofDecl: [{ name: "pattern" }],
    },
    messageJson("CustomHttpPattern", ["kind", 1, "string"], ["path", 2, "string"]),
  ],
};

const httpBodyProto: JsonValue = {
  name: "google/api/httpbody.proto",
  package: "google.api",
  syntax: "proto3",
  messageType: [messageJson("HttpBody", ["content_type", 1, "string"], ["data", 2, "bytes"])],
};

const annotationsProto: JsonValue = {
  name: "google/api/annotations.proto",
  package: "google.api",
  syntax: "proto3",
  dependency: ["google/api/http.proto", "google/protobuf/descriptor.proto"],
  extension: [
    {
      name: "http",
      number: 72_295_728,
      label: optional,
      type: "TYPE_MESSAGE",
      typeName: ".google.api.HttpRule",
      extendee: ".google.protobuf.MethodOptions",
      jsonName: "http",
    },
  ],
};

interface Method {
  readonly input: string;
  readonly output: string;
  readonly http?: JsonValue;
  readonly streams?: "responses" | "requests";
}

const methodJson = (name: string, { input, output, http, streams }: Method): JsonValue => ({
  name,
  inputType: `.${input}`,
  outputType: `.${output}`,
  clientStreaming: streams === "requests",
  serverStreaming: streams === "responses",
  ...(http !== undefined && { options: { "[google.api.http]": http } }),
});

const libraryProto = (methods: Readonly<Record<string, Method>>): JsonValue => ({
  name: "library.proto",
  package: "library",
  syntax: "proto3",
  dependency: [
    "google/api/annotations.proto",
    "google/api/httpbody.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/wrappers.proto",
  ],
  enumType: [{ name: "Kind", value: [{ name: "OTHER" }, { name: "FICTION", number: 1 }] }],
  messageType: [
    messageJson(
      "Shelf",
      ["name", 1, "string"],
      ["theme", 2, "string"],
      ["book_count", 3, "int64"],
      ["kind", 4, "library.Kind"],
      ["created_at", 5, "google.protobuf.Timestamp"],
    ),
    messageJson("GetShelf", ["name", 1, "string"]),
    messageJson("Filter", ["kind", 1, "library.Kind"], ["min_books", 2, "int64"]),
    messageJson(
      "ListShelves",
      ["page_size", 1, "int32"],
      ["page_token", 2, "string"],
      ["tags", 3, "string", "repeated"],
      ["filter", 4, "library.Filter"],
      ["deep", 5, "bool"],
      ["after", 6, "google.protobuf.Timestamp"],
      ["limit", 7, "google.protobuf.Int32Value"],
    ),
    messageJson("Shelves", ["shelves", 1, "library.Shelf", "repeated"], ["next", 2, "string"]),
    messageJson("PutShelf", ["shelf", 1, "library.Shelf"], ["request_id", 2, "string"]),
    messageJson("Search", ["query", 1, "string"], ["count", 2, "int32"]),
  ],
  service: [
    {
      name: "Library",
      method: Object.entries(methods).map(([name, method]) => methodJson(name, method)),
    },
  ],
});

/** A service with a method for each kind of rule. */
export const libraryMethods: Readonly<Record<string, Method>> = {
  GetShelf: {
    input: "library.GetShelf",
    output: "library.Shelf",
    http: {
      get: "/v1/{name=shelves/*}",
      additionalBindings: [{ get: "/v1/any/{name=**}" }],
    },
  },
  ListShelves: {
    input: "library.ListShelves",
    output: "library.Shelves",
    http: {
      get: "/v1/shelves",
      additionalBindings: [{ get: "/v1/shelves:bare", responseBody: "shelves" }],
    },
  },
  CreateShelf: {
    input: "library.PutShelf",
    output: "library.Shelf",
    http: { post: "/v1/shelves", body: "shelf" },
  },
  UpdateShelf: {
    input: "library.PutShelf",
    output: "library.Shelf",
    http: { patch: "/v1/{shelf.name=shelves/*}", body: "*" },
  },
  ArchiveShelf: {
    input: "library.GetShelf",
    output: "library.Shelf",
    http: { post: "/v1/{name=shelves/**}:archive", body: "*" },
  },
  Search: {
    input: "library.Search",
    output: "library.Shelf",
    streams: "responses",
    http: { get: "/v1/search/{query}" },
  },
  GetCover: {
    input: "library.GetShelf",
    output: "google.api.HttpBody",
    http: { get: "/v1/{name=shelves/*}/cover" },
  },
  Upload: {
    input: "library.Shelf",
    output: "library.Shelf",
    streams: "requests",
    http: { post: "/v1/upload", body: "*" },
  },
  Unbound: { input: "library.Shelf", output: "library.Shelf" },
};

const known = [
  file_google_protobuf_descriptor,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
].map((file) => file.proto);

const fileOf = (json: JsonValue, registry?: FileRegistry): FileDescriptorProto =>
  fromJson(FileDescriptorProtoSchema, json, registry === undefined ? {} : { registry });

/** The set that protoc would write for a library service with these methods. */
export function libraryDescriptors(methods = libraryMethods): Uint8Array {
  const files = [
    ...known,
    ...[httpProto, httpBodyProto, annotationsProto].map((one) => fileOf(one)),
  ];
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
  const file = [...files, fileOf(libraryProto(methods), registry)];
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}
