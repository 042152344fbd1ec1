import fc from "fast-check";
import { expect, test } from "vitest";
import { exchange, RawClient, splitAt } from "./raw-http.ts";
import { RawOrigin } from "./raw-origin.ts";
import { readResponse } from "./raw-response.ts";

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

test("exchange: far end answers and closes, whole answer and the close are seen", async () => {
  await using origin = await RawOrigin.start(({ socket }) => socket.end(hello));
  const answer = await exchange({ port: origin.port }, ["GET / HTTP/1.1\r\n\r\n"]);
  expect(answer).toMatchObject({ text: hello, end: "closed" });
});

test("exchange: far end stays open, reading ends when it falls silent", async () => {
  await using origin = await RawOrigin.start(({ socket }) => socket.write(hello));
  const answer = await exchange({ port: origin.port }, ["x"], { idleMs: 50 });
  expect(answer).toMatchObject({ text: hello, end: "open" });
});

test("exchange: far end resets, the reset is told from a close", async () => {
  await using origin = await RawOrigin.start(({ socket }) => socket.resetAndDestroy());
  const answer = await exchange({ port: origin.port }, ["x", { waitMs: 20 }, "y"]);
  expect(answer).toMatchObject({ text: "", end: "reset" });
});

test("exchange: split request, every byte arrives in order", async () => {
  const request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  await using origin = await RawOrigin.start((connection) => {
    if (connection.received.endsWith("\r\n\r\n")) connection.socket.end(hello);
  });
  await exchange({ port: origin.port }, splitAt(request, [1, 5, 17]));
  expect(origin.connections[0]!.received).toBe(request);
});

test("exchange: half-close asked, origin sees the end and can still answer", async () => {
  await using origin = await RawOrigin.start(({ socket }) => {
    socket.once("end", () => socket.end(hello));
  });
  const answer = await exchange({ port: origin.port }, ["x"], { halfClose: true });
  expect(answer).toMatchObject({ text: hello, end: "closed" });
});

test("client: two pipelined responses, each is read by itself", async () => {
  const chunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n";
  await using origin = await RawOrigin.start(({ socket }) => socket.write(chunked + hello));
  await using client = await RawClient.connect({ port: origin.port });
  await client.send("x");
  const first = await client.response();
  const second = await client.response();
  expect(first.body.toString()).toBe("abc");
  expect(first.trailers).toEqual([["X-T", "1"]]);
  expect(second.body.toString()).toBe("hello");
  expect(client.bytes.length).toBe(0);
});

test("client: connection closes before the response is whole, it throws with what came", async () => {
  await using origin = await RawOrigin.start(({ socket }) => socket.end(hello.slice(0, -1)));
  await using client = await RawClient.connect({ port: origin.port });
  await client.send("x");
  await expect(client.response()).rejects.toThrow(/closed; received "HTTP\/1.1 200/);
});

test("splitAt: any offsets, the pieces make up the text", () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.nat(50)), (text, offsets) => {
      const sorted = offsets.toSorted((a, b) => a - b);
      const pieces = splitAt(text, sorted).filter((step) => typeof step === "string");
      expect(pieces.join("")).toBe(text);
    }),
    { seed: 20260 },
  );
});

test("readResponse: any cut of a chunked response, it asks for more until the last byte", () => {
  const whole = Buffer.from(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
  );
  for (let cut = 0; cut < whole.length; cut++) {
    expect(readResponse(whole.subarray(0, cut), "GET", false)).toBeNull();
  }
  expect(readResponse(whole, "GET", false)).toMatchObject({ status: 200, length: whole.length });
});

test("readResponse: no length and an open connection, the body ends with the connection", () => {
  const bytes = Buffer.from("HTTP/1.1 200 OK\r\n\r\nabc");
  expect(readResponse(bytes, "GET", false)).toBeNull();
  expect(readResponse(bytes, "GET", true)?.body.toString()).toBe("abc");
  expect(readResponse(bytes, "HEAD", false)?.length).toBe(19);
});
