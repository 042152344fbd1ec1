import { expect, test } from "vitest";
import { HttpDate } from "./date.ts";

test("date, RFC 9110's own example: an IMF-fixdate", () => {
  expect(new HttpDate().at(784_111_777_999)).toBe("Sun, 06 Nov 1994 08:49:37 GMT");
});

test("date, the same second and the next: the text follows the second", () => {
  const date = new HttpDate();
  expect(date.at(0)).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
  expect(date.at(999)).toBe("Thu, 01 Jan 1970 00:00:00 GMT");
  expect(date.at(1_000)).toBe("Thu, 01 Jan 1970 00:00:01 GMT");
});
