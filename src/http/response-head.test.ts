import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { ResponseReceiver } from "./h1/response-receiver.ts";
import { ResponseHead } from "./response-head.ts";
import { LIMITS, TextSink } from "./testing/transcript.ts";

const received = (text: string): ResponseHead => {
  const head = new ResponseHead();
  const receiver = new ResponseReceiver(LIMITS);
  receiver.begin("GET");
  const bytes = bytesOf(text);
  expect(receiver.receive(bytes, 0, bytes.length, head)).toBe("head");
  return head;
};

const written = (head: ResponseHead): TextSink => {
  const sink = new TextSink();
  head.writeTo(sink);
  return sink;
};

describe("response head", () => {
  it("unedited: the octets that came, in one write, as HTTP/1.1", () => {
    const fields = "sERVER:x\r\nContent-Length: 0\r\n\r\n";
    for (const minor of [0, 1, 3]) {
      expect(written(received(`HTTP/1.${minor} 200 Fine\r\n${fields}`))).toMatchObject({
        writes: 1,
        text: `HTTP/1.1 200 Fine\r\n${fields}`,
      });
    }
  });

  it("no space after the status: written with one", () => {
    const head = received("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n");
    expect(head.reason).toBe("");
    expect(written(head).text).toBe("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n");
  });

  it("status and reason set: a new start line", () => {
    const head = received("HTTP/1.1 200 Fine\r\nA: b\r\n\r\n");
    expect([head.status, head.reason]).toEqual([200, "Fine"]);
    head.reason = "Good";
    expect(written(head).text).toBe("HTTP/1.1 200 Good\r\nA: b\r\n\r\n");
    head.status = 404;
    expect(written(head).text).toBe("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n");
    head.status = 799;
    expect(written(head).text).toBe("HTTP/1.1 799 \r\nA: b\r\n\r\n");
  });

  it("a status or reason that would break the line: TypeError", () => {
    const head = new ResponseHead();
    for (const status of [99, 1000, 200.5, Number.NaN, -200]) {
      expect(() => (head.status = status)).toThrow(TypeError);
    }
    for (const reason of ["a\r\nb", "\n", "\0", "\u0141"]) {
      expect(() => (head.reason = reason)).toThrow(TypeError);
    }
    expect(written(head).text).toBe("HTTP/1.1 200 OK\r\n\r\n");
  });

  it("clear: 200 without fields; copyFrom: equal and independent", () => {
    const head = received("HTTP/1.0 503 Busy\r\nA: b\r\n\r\n");
    const copy = new ResponseHead();
    copy.copyFrom(head);
    head.clear();
    expect(head).toMatchObject({ status: 200, reason: "OK", minor: 1, framing: "none" });
    expect([copy.status, copy.reason, copy.framing, copy.minor]).toEqual([503, "Busy", "close", 0]);
    expect(written(copy).text).toBe("HTTP/1.1 503 Busy\r\nA: b\r\n\r\n");
  });
});
