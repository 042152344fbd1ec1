import { expect, test } from "vitest";
import { libraryDescriptors, libraryMethods } from "../testing/library-descriptors.ts";
import { unreadable } from "./request-media.ts";
import { Transcoder } from "./transcoder.ts";

const methods = {
  ...libraryMethods,
  PutCover: {
    input: "google.api.HttpBody",
    output: "library.Shelf",
    http: { post: "/v1/cover", body: "*" },
  },
};
const { bindings } = new Transcoder(libraryDescriptors(methods));

test.each([
  ["CreateShelf", "application/json", undefined, null],
  ["CreateShelf", "Application/JSON ; charset=utf-8", "Identity", null],
  ["UpdateShelf", "application/merge-patch+json", undefined, null],
  ["CreateShelf", undefined, undefined, null],
  ["CreateShelf", "text/plain;charset=UTF-8", undefined, "type"],
  ["CreateShelf", "application/x-www-form-urlencoded", undefined, "type"],
  ["CreateShelf", "application/jsonx", undefined, "type"],
  ["CreateShelf", "text/plain; x=application/json", undefined, "type"],
  ["CreateShelf", "application/json, text/plain", undefined, "type"],
  ["CreateShelf", "", undefined, "type"],
  ["CreateShelf", "application/json", "gzip", "coding"],
  ["CreateShelf", undefined, "identity, br", "coding"],
  ["PutCover", "image/png", undefined, null],
  ["PutCover", "image/png", "gzip", "coding"],
  ["GetShelf", "text/plain", "gzip", null],
] as const)("%s with a body of type %j, encoded %j, cannot be read for its: %j", (...of) => {
  const [name, type, encoding, expected] = of;
  const binding = bindings.find(({ method }) => method.name === name)!;
  expect(unreadable(binding, type, encoding)).toBe(expected);
});
