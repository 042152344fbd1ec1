import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, latin1 } from "../../core/bytes.ts";
import { Fields } from "../fields.ts";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";
import { LIMITS, receiveRequests, receiveResponses, TextSink } from "../testing/transcript.ts";
import { BodyWriter } from "./body-writer.ts";
import { RequestReceiver } from "./request-receiver.ts";

// A failing run prints the seed and the path to the counterexample.
const RUNS = { seed: 9112, numRuns: 400 };

const character = (from: string): fc.Arbitrary<string> => fc.constantFrom(...from);
const text = (from: string, minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: character(from), minLength, maxLength });

const token = text("abcXYZ019-_!~", 1, 8).map((name) => `q${name}`);
const value = text('abc 019\t,;="\\\xe9\xff', 0, 12).map((v) => v.replace(/^[\t ]+|[\t ]+$/g, ""));
const line = fc
  .tuple(token, text(" \t", 0, 2), value, text(" \t", 0, 2))
  .map(([name, before, v, after]) => `${name}:${before}${v}${v === "" ? "" : after}\r\n`);
const lines = fc.array(line, { maxLength: 4 }).map((all) => all.join(""));
const content = text("ab\r\n0;\0\xff", 0, 30);
const chunk = fc
  .tuple(text("ab\r\n0\xff", 1, 20), fc.constantFrom("", ";a", ";a=b", '; c="\\";"'), fc.boolean())
  .map(([data, extension, upper]) => {
    const size = data.length.toString(16);
    return `${upper ? size.toUpperCase() : `0${size}`}${extension}\r\n${data}\r\n`;
  });
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), lines)
  .map(([all, trailers]) => `${all.join("")}0\r\n${trailers}\r\n`);
const target = fc.constantFrom("/", "/a?b", "/a%20b", "http://b.example/x", "http://b.example");
const method = fc.constantFrom("GET", "POST", "DELETE", "QUERY", "OPTIONS");

/** The framing field and the body that goes with it. */
const framed = fc.oneof(
  fc.constant(["", ""] as const),
  content.map((body) => [`Content-Length: ${body.length}\r\n`, body] as const),
  chunks.map((body) => ["transfer-ENCODING: chunked\r\n", body] as const),
);
const request = fc
  .tuple(fc.constantFrom("", "\r\n", "\r\n\r\n"), method, target, lines, framed, lines)
  .map(
    ([empty, verb, uri, front, [framing, body], back]) =>
      `${empty}${verb} ${uri} HTTP/1.1\r\n${front}Host: a.example\r\n${framing}${back}\r\n${body}`,
  );
const requests = fc.array(request, { minLength: 1, maxLength: 4 }).map((all) => all.join(""));
const interim = fc.constantFrom(
  "",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Hints\r\nA: b\r\n\r\n",
);
const response = fc
  .tuple(interim, fc.constantFrom("200 OK", "404", "500 "), lines, framed)
  .filter(([, , , [framing]]) => framing !== "")
  .map(
    ([before, status, fields, [framing, body]]) =>
      `${before}HTTP/1.1 ${status}\r\n${fields}${framing}\r\n${body}`,
  );
const sizes = fc.array(fc.oneof(fc.constant(1), fc.nat(7), fc.nat(200)), { maxLength: 300 });

/** Changes a message in a few places, as an attacker or a broken peer would. */
const mutation = fc.tuple(
  fc.nat(),
  fc.constantFrom("cut", "insert", "replace", "double"),
  fc.constantFrom("\0", "\r", "\n", " ", "\t", ":", ";", ",", "0", "-", "\xff", "\r\n", "\r\n\r\n"),
);
const mutated = (base: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(base, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(([whole, changes]) => {
    let result = whole;
    for (const [place, kind, piece] of changes) {
      const at = place % (result.length + 1);
      const rest = result.slice(at);
      if (kind === "cut") result = result.slice(0, at) + rest.slice(1);
      else if (kind === "insert") result = result.slice(0, at) + piece + rest;
      else if (kind === "replace") result = result.slice(0, at) + piece + rest.slice(1);
      else result += rest;
    }
    return result;
  });

describe("any split", () => {
  it("of valid requests: the same messages as whole, all consumed", () => {
    fc.assert(
      fc.property(requests, sizes, (input, split) => {
        const whole = receiveRequests(input);
        expect(whole.error).toBeNull();
        expect(whole.consumed).toBe(input.length);
        expect(whole.messages.every((message) => message.ended)).toBe(true);
        expect(receiveRequests(input, split)).toEqual(whole);
      }),
      RUNS,
    );
  });

  it("of valid responses: the same messages as whole, all consumed", () => {
    fc.assert(
      fc.property(fc.array(response, { minLength: 1, maxLength: 4 }), sizes, (all, split) => {
        const input = all.join("");
        const methods = all.map(() => "GET");
        const whole = receiveResponses(input, [], methods);
        expect(whole.error).toBeNull();
        expect(whole.consumed).toBe(input.length);
        expect(receiveResponses(input, split, methods)).toEqual(whole);
      }),
      RUNS,
    );
  });

  it("of mutated requests: the same messages, and an error in both or in none", () => {
    fc.assert(
      fc.property(mutated(requests), sizes, (input, split) => {
        const whole = receiveRequests(input);
        const pieces = receiveRequests(input, split);
        expect(pieces.messages).toEqual(whole.messages);
        // An octet that can no longer be right may be seen before its line is complete, or after.
        if (whole.error === null) expect(pieces.error).toBeNull();
      }),
      RUNS,
    );
  });
});

describe("any input", () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => latin1(bytes, 0, bytes.length)),
    text("GET / HTP1.\r\n:a0;chunked", 0, 200),
    mutated(requests),
    mutated(fc.array(response, { maxLength: 3 }).map((all) => all.join(""))),
  );

  it("to either receiver: never throws, positions stay inside, error is final", () => {
    fc.assert(
      fc.property(noise, sizes, (input, split) => {
        // The fixture throws when a position lies outside or "need-data" leaves input behind.
        receiveRequests(input, split);
        receiveResponses(input, split, ["GET", "HEAD", "CONNECT", "POST"]);
      }),
      { ...RUNS, numRuns: 1000 },
    );
  });

  it("a refused request: what was taken before it ends where it began", () => {
    fc.assert(
      fc.property(requests, noise, (good, bad) => {
        const alone = receiveRequests(good).messages;
        const both = receiveRequests(good + bad).messages;
        expect(both.slice(0, alone.length)).toEqual(alone);
      }),
      RUNS,
    );
  });
});

describe("what is emitted", () => {
  const trailerLines = fc.array(fc.tuple(token, value), { maxLength: 3 });

  it("of a request, received or edited: parses back the same", () => {
    fc.assert(
      fc.property(request, token, value, fc.boolean(), (input, name, v, edit) => {
        const head = new RequestHead();
        const bytes = bytesOf(input);
        expect(new RequestReceiver(LIMITS).receive(bytes, 0, bytes.length, head)).toBe("head");
        if (edit) {
          head.headers.set(name, v);
          head.target = "/edited?x";
          head.method = "PATCH";
        }
        const sink = new TextSink();
        head.writeTo(sink);
        const again = receiveRequests(sink.text).messages[0]!;
        expect(again.fields).toEqual([...head.fields]);
        expect(again.start.split(" ")[0]).toBe(head.method);
        const path = head.query === "" ? head.path : `${head.path}?${head.query}`;
        const asterisk = input.includes("OPTIONS http://b.example HTTP") && !edit;
        expect(again.start.split(" ")[1]).toBe(asterisk ? "*" : path);
        expect(again.framing.split(" ")[0]).toBe(head.framing);
      }),
      RUNS,
    );
  });

  it("of a response and its body in any pieces and framing: parses back the same", () => {
    const framing = fc.constantFrom("chunked", "length", "close");
    fc.assert(
      fc.property(
        fc.array(content, { maxLength: 5 }),
        framing,
        trailerLines,
        sizes,
        (pieces, kind, trailers, split) => {
          const body = pieces.join("");
          const head = new ResponseHead();
          if (kind === "chunked") head.headers.set("Transfer-Encoding", "chunked");
          if (kind === "length") head.headers.set("Content-Length", String(body.length));
          const fields = new Fields();
          for (const [name, v] of trailers) fields.append(name, v);
          const sink = new TextSink();
          head.writeTo(sink);
          const writer = new BodyWriter();
          writer.begin(kind as "chunked" | "length" | "close", body.length);
          for (const piece of pieces) writer.data(sink, bytesOf(piece), 0, piece.length);
          writer.end(sink, fields);
          const back = receiveResponses(sink.text, split, ["GET"], LIMITS, true);
          expect(back.error).toBeNull();
          expect(back.messages).toMatchObject([{ body, ended: true }]);
          const sent = kind === "chunked" && trailers.length > 0 ? [...fields] : null;
          expect(back.messages[0]?.trailers).toEqual(sent);
        },
      ),
      RUNS,
    );
  });
});

describe("fields against a model", () => {
  const names = fc.constantFrom("Host", "via", "Via", "X-A", "x-a", "Cookie", "q");
  const step = fc.tuple(fc.constantFrom("set", "append", "delete", "copy"), names, value);

  it("any sequence of edits: the same lines as a plain list", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let fields = new Fields();
        let model: [string, string][] = [];
        for (const [kind, name, v] of steps) {
          const others = model.filter(([n]) => n.toLowerCase() !== name.toLowerCase());
          if (kind === "append") {
            fields.append(name, v);
            model.push([name, v]);
          } else if (kind === "set") {
            fields.set(name, v);
            model = [...others, [name, v]];
          } else if (kind === "delete") {
            expect(fields.delete(name)).toBe(others.length !== model.length);
            model = others;
          } else {
            const copy = new Fields();
            copy.copyFrom(fields);
            fields = copy;
          }
          const sink = new TextSink();
          fields.writeTo(sink);
          expect(sink.text).toBe(model.map(([n, t]) => `${n}: ${t}\r\n`).join(""));
          expect([...fields]).toEqual(model);
          expect(fields.has(name)).toBe(
            model.some(([n]) => n.toLowerCase() === name.toLowerCase()),
          );
        }
      }),
      RUNS,
    );
  });
});
