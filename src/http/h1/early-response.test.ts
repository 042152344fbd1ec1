import { describe, expect, it } from "vitest";
import { latin1 } from "../../core/bytes.ts";
import { receiveResponses } from "../testing/transcript.ts";
import { CONTINUE, respondBytes } from "./early-response.ts";

const text = (bytes: Uint8Array): string => latin1(bytes, 0, bytes.length);

describe("early responses", () => {
  it("an error: a complete short response that closes the connection", () => {
    for (const status of [400, 405, 408, 413, 414, 431, 500, 501, 502, 503, 504, 505]) {
      const { messages, error, consumed } = receiveResponses(text(respondBytes(status)));
      expect(error).toBeNull();
      expect(consumed).toBe(respondBytes(status).length);
      expect(messages).toMatchObject([{ keepAlive: false, ended: true }]);
      expect(messages[0]?.body).toMatch(new RegExp(`^${status} [A-Z].*\n$`));
    }
  });

  it("kept alive, without body, of a status without a phrase: as asked", () => {
    expect(text(respondBytes(404, false))).not.toContain("Connection");
    const [message] = receiveResponses(text(respondBytes(404, true, true)), [], ["HEAD"]).messages;
    expect(message).toMatchObject({ body: "", ended: true });
    expect(message?.fields).toContainEqual(["Content-Length", "14"]);
    expect(receiveResponses(text(respondBytes(599))).messages).toMatchObject([{ body: "599\n" }]);
  });

  it("asked again: the same memory", () => {
    expect(respondBytes(502)).toBe(respondBytes(502));
    expect(respondBytes(502)).not.toBe(respondBytes(502, false));
  });

  it("continue: an interim response", () => {
    expect(receiveResponses(text(CONTINUE)).messages).toMatchObject([
      { start: "100 Continue 1.1" },
    ]);
  });
});
