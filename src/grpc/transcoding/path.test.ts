import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PathTable } from "./path-table.ts";
import { BadTemplate, parsePathTemplate } from "./path-template.ts";

fc.configureGlobal({ seed: 20_261_125, numRuns: 500 });

/** A table of GET templates; what a path leads to, with its values. */
function lookUp(templates: readonly string[], path: string): unknown {
  const table = new PathTable<string>();
  for (const template of templates) table.add("GET", parsePathTemplate(template), template);
  const found = table.find("GET", path);
  return "target" in found ? [found.target, Object.fromEntries(found.values)] : null;
}

describe("templates", () => {
  test.each([
    "/v1/messages/{message_id}",
    "/v1/{name=messages/*}",
    "/v1/{name=shelves/*/books/**}:cancel",
    "/v1/{a.b_c.d=*}/x/{e}",
    "/**",
    "/v1/*:verb",
    "/",
  ])("%s, is one", (text) => {
    expect(parsePathTemplate(text)).toBeDefined();
  });

  test.each([
    ["v1", 'expected "/" at 1'],
    ["/v1/", "expected a segment at 5"],
    ["/v1/{a", 'expected "}" at 7'],
    ["/v1/{a={b}}", "expected a segment at 8"],
    ["/v1/**/x", "before the last segment"],
    ["/v1/{a=**}/{b}", "before the last segment"],
    ["/v1/{a}/{a}", "bound twice"],
    ["/v1/{1a}", "expected a field's path"],
    ["/v1:", "expected a verb"],
    ["/v1?x", "expected the end"],
  ])("%s, is none: %s", (text, why) => {
    expect(() => parsePathTemplate(text)).toThrow(BadTemplate);
    expect(() => parsePathTemplate(text)).toThrow(why);
  });

  test("any text, parses or is refused as a template", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."/{}*=:.a1%") }), (text) => {
        try {
          parsePathTemplate(`/${text}`);
        } catch (error) {
          expect(error).toBeInstanceOf(BadTemplate);
        }
      }),
    );
  });
});

describe("paths", () => {
  test.each([
    ["/v1/messages/{id}", "/v1/messages/123456", { id: "123456" }],
    ["/v1/{name=messages/*}", "/v1/messages/1", { name: "messages/1" }],
    ["/v1/{name=shelves/**}", "/v1/shelves/a/b/c", { name: "shelves/a/b/c" }],
    ["/v1/{name=shelves/**}", "/v1/shelves", { name: "shelves" }],
    ["/v1/{name=**}:cancel", "/v1/a/b:cancel", { name: "a/b" }],
    ["/v1/{id}", "/v1/a%20b%2Fc", { id: "a b/c" }],
    ["/v1/{name=a/*}", "/v1/a/b%20c%2Fd", { name: "a/b c%2Fd" }],
    ["/v1/{id}", "/v1/gr%C3%B6%C3%9Fer", { id: "größer" }],
    ["/v1/{id}", "/v1/50%", { id: "50%" }],
    ["/v1/{id}", "/v1/a:b", { id: "a:b" }],
    ["/v1/%7Euser", "/v1/~user", {}],
    ["/", "/", {}],
  ])("%s at %s, gives %j", (template, path, values) => {
    expect(lookUp([template], path)).toEqual([template, values]);
  });

  test.each([
    ["/v1/messages/{id}", "/v1/messages/"],
    ["/v1/messages/{id}", "/v1/messages"],
    ["/v1/messages/{id}", "/v1/messages/1/2"],
    ["/v1/{name=**}:cancel", "/v1/a/b"],
    ["/v1/a:x", "/v1/a:y"],
    ["/v1/a", "/V1/a"],
  ])("%s, does not take %s", (template, path) => {
    expect(lookUp([template], path)).toBeNull();
  });

  test("literals, go before one segment, and that before the rest", () => {
    const all = ["/v1/{x=**}", "/v1/{y}", "/v1/fixed", "/v1/{y}/end"];
    expect(lookUp(all, "/v1/fixed")).toEqual(["/v1/fixed", {}]);
    expect(lookUp(all, "/v1/other")).toEqual(["/v1/{y}", { y: "other" }]);
    expect(lookUp(all, "/v1/a/end")).toEqual(["/v1/{y}/end", { y: "a" }]);
    expect(lookUp(all, "/v1/fixed/more")).toEqual(["/v1/{x=**}", { x: "fixed/more" }]);
  });

  test("another method at the path, is told; the very same twice, is refused", () => {
    const table = new PathTable<number>();
    const template = parsePathTemplate("/a/{b}");
    expect(table.add("GET", template, 1)).toBe(true);
    expect(table.add("GET", parsePathTemplate("/a/{c}"), 2)).toBe(false);
    expect(table.add("POST", template, 3)).toBe(true);
    expect(table.find("PUT", "/a/x")).toEqual({ methods: ["GET", "POST"] });
    expect(table.find("PUT", "/b")).toEqual({ methods: [] });
    table.add("*", template, 4);
    expect(table.find("PUT", "/a/x")).toMatchObject({ target: 4 });
    expect(table.find("POST", "/a/x")).toMatchObject({ target: 3 });
  });

  test("any paths, never throw, and what a template made is found again", () => {
    const templates = ["/v1/{a}", "/v1/{a}/b/{c}", "/v1/{d=x/**}", "/{e=**}:v"].map((text) =>
      parsePathTemplate(text),
    );
    const table = new PathTable<number>();
    for (const [i, template] of templates.entries()) table.add("GET", template, i);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."/vx1b:%2Fé") }), (path) => {
        table.find("GET", `/${path}`);
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: "grapheme" }),
        fc.string({ minLength: 1 }),
        (a, c) => {
          const path = `/v1/${encodeURIComponent(a)}/b/${encodeURIComponent(c)}`;
          expect(table.find("GET", path)).toMatchObject({
            values: [
              ["a", a],
              ["c", c],
            ],
          });
        },
      ),
    );
  });
});
