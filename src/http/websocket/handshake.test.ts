import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { isCloseCode } from "./close-code.ts";
import { parseExtensions } from "./extension-list.ts";
import { acceptOf, isKey, newKey } from "./handshake-key.ts";
import { acceptDeflate, DEFLATE_OFFER, readDeflateAnswer } from "./permessage-deflate.ts";
import { sha1 } from "./sha1.ts";
import { pieces } from "./testing/frames.ts";
import { Utf8Check } from "./utf8.ts";

describe("websocket handshake", () => {
  test("RFC 6455 §1.3, the sample nonce: is accepted as there", () => {
    expect(acceptOf("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  test("SHA-1 of texts of any length: is that of others", () => {
    for (let length = 0; length < 200; length++) {
      const text = "\u00fcabc".repeat(50).slice(0, length);
      const wanted = createHash("sha1").update(text, "latin1").digest();
      expect(Buffer.from(sha1(text)).equals(wanted)).toBe(true);
    }
  });

  test("new keys: are keys, and differ", () => {
    const rng = new SeededRng(1);
    const keys = Array.from({ length: 50 }, () => newKey(rng));
    expect(keys.every(isKey)).toBe(true);
    expect(new Set(keys).size).toBe(50);
    for (const key of ["", "short", "dGhlIHNhbXBsZSBub25jZR==", `${keys[0]}=`]) {
      expect(isKey(key)).toBe(false);
    }
  });

  test("close codes: those for the wire alone", () => {
    const good = [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999];
    const bad = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];
    expect(good.filter(isCloseCode)).toEqual(good);
    expect(bad.filter(isCloseCode)).toEqual([]);
  });
});

describe("permessage-deflate", () => {
  test.each([
    ["permessage-deflate", 15, ""],
    ["permessage-deflate; client_max_window_bits", 15, ""],
    ["permessage-deflate; server_max_window_bits=10", 10, "; server_max_window_bits=10"],
    ['permessage-deflate; server_max_window_bits="10"', 10, "; server_max_window_bits=10"],
    ["x-other; a=b, permessage-deflate ; client_no_context_takeover", 15, ""],
    ["permessage-deflate; server_max_window_bits=8, permessage-deflate", 15, ""],
    ["permessage-deflate; unknown, permessage-deflate", 15, ""],
  ])("the offer %s: is accepted", (offer, windowBits, more) => {
    const answer = `permessage-deflate; server_no_context_takeover; client_no_context_takeover${more}`;
    expect(acceptDeflate(offer)).toEqual({ agreement: { windowBits }, answer });
  });

  test.each([
    "",
    "x-other",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits=010",
    "permessage-deflate; server_max_window_bits=8",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; unknown",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    "permessage-deflate;",
    "permessage-deflate,",
    'permessage-deflate; server_max_window_bits="1 0"',
  ])("the offer %s: is declined", (offer) => {
    expect(acceptDeflate(offer)).toBe(null);
  });

  test.each<[string | null, ReturnType<typeof readDeflateAnswer>]>([
    [null, null],
    [DEFLATE_OFFER, { windowBits: 15 }],
    ["permessage-deflate; server_no_context_takeover", { windowBits: 15 }],
    [`${DEFLATE_OFFER}; server_max_window_bits=9`, { windowBits: 15 }],
    ["permessage-deflate", "invalid"],
    [`${DEFLATE_OFFER}; client_max_window_bits=10`, "invalid"],
    [`${DEFLATE_OFFER}; unknown`, "invalid"],
    [`${DEFLATE_OFFER}, ${DEFLATE_OFFER}`, "invalid"],
    ["x-other", "invalid"],
    ["", "invalid"],
  ])("the answer %s: is taken or refused", (answer, wanted) => {
    expect(readDeflateAnswer(answer)).toEqual(wanted);
  });

  test("extensions of any text: are read or refused, never thrown at", () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab;,=" -\t\u00e9'.split("")) });
    fc.assert(
      fc.property(text, (value) => void parseExtensions(value)),
      { seed: 3, numRuns: 2000 },
    );
  });
});

test("UTF-8 of any octets, cut anywhere: is judged as by the platform", () => {
  const octets = fc.uint8Array({ maxLength: 6 });
  const encoded = fc.string({ unit: "binary" }).map((text) => new TextEncoder().encode(text));
  const bytes = fc.tuple(encoded, octets, encoded).map((parts) => Buffer.concat(parts));
  const property = fc.property(bytes, fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
    let wanted = true;
    try {
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      wanted = false;
    }
    const check = new Utf8Check();
    const taken = pieces(bytes, cuts).every((piece) => check.takes(piece, 0, piece.length));
    expect(taken && check.complete).toBe(wanted);
  });
  fc.assert(property, { seed: 3629, numRuns: 5000 });
});
