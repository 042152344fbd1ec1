import { expect, test } from "vitest";
import { renderExposition } from "./exposition.ts";
import { counter, gauge, plain } from "./metrics.ts";

test("families, rendered, have HELP, TYPE and a line a sample", () => {
  const text = renderExposition([
    counter("a_total", "How many.", [plain({}, 3), plain({ code: "200" }, 1.5)]),
    gauge("b", "Now.", []),
  ]);
  expect(text).toBe(
    '# HELP a_total How many.\n# TYPE a_total counter\na_total 3\na_total{code="200"} 1.5\n' +
      "# HELP b Now.\n# TYPE b gauge\n",
  );
});

test("a label with quote, backslash and newline, rendered, is escaped", () => {
  const text = renderExposition([gauge("a", "x\ny\\", [plain({ l: 'q"b\\n\n' }, Infinity)])]);
  expect(text).toContain("# HELP a x\\ny\\\\\n");
  expect(text).toContain('a{l="q\\"b\\\\n\\n"} +Inf\n');
});
