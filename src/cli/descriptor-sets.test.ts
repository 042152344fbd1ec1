import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { load } from "../config/testing/files.ts";
import { libraryDescriptors } from "../grpc/testing/library-descriptors.ts";
import { readDescriptors } from "./descriptor-sets.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-descriptors-"));
afterAll(() => rmSync(folder, { recursive: true }));

writeFileSync(join(folder, "library.pb"), libraryDescriptors());
writeFileSync(join(folder, "broken.pb"), "no descriptors");

const read = (transcode: string) =>
  readDescriptors(
    load(`listeners:
  - name: web
    listen: 127.0.0.1:8080
    routes:
      - name: api
        upstream: app
        transcode: { ${transcode} }
upstreams:
  app: { endpoints: ["127.0.0.1:9000"] }
`).config,
    folder,
  );

test("a descriptor set, is read relative to the folder, and what it cannot serve is told", () => {
  const { config, problems, warnings } = read("descriptors: library.pb");
  const { transcode } = config.listeners[0]!.routes![0]!;
  expect(problems).toEqual([]);
  expect(transcode?.descriptors).toBe(join(folder, "library.pb"));
  expect(transcode?.descriptorSet?.length).toBeGreaterThan(1000);
  expect(structuredClone(transcode)).toEqual(transcode);
  expect(warnings).toEqual([
    "listener web, route api: library.Library.Upload streams its requests and cannot be called by JSON",
  ]);
});

test.each([
  ["descriptors: missing.pb", /cannot read the descriptors .*missing\.pb: there is no such file/],
  ["descriptors: broken.pb", /not a descriptor set that is complete/],
  ["descriptors: library.pb, services: [library.Other]", /no service library\.Other/],
])("%s, is a problem", (transcode, message) => {
  const { problems } = read(transcode);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^listener web, route api: transcode\.descriptors: /);
  expect(problems[0]).toMatch(message);
});
