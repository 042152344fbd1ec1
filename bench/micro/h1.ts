/**
 * Nanoseconds per HTTP/1.1 head: received whole, forwarded unedited, forwarded as a proxy edits it.
 *
 *     node bench/micro/h1.ts
 */
import { bytesOf } from "../../src/core/bytes.ts";
import type { ByteSink } from "../../src/core/transport.ts";
import { FieldId } from "../../src/http/field-id.ts";
import type { H1Limits } from "../../src/http/h1/limits.ts";
import { RequestReceiver } from "../../src/http/h1/request-receiver.ts";
import { ResponseReceiver } from "../../src/http/h1/response-receiver.ts";
import { RequestHead } from "../../src/http/request-head.ts";
import { ResponseHead } from "../../src/http/response-head.ts";

const ROUNDS = 300_000;
const limits: H1Limits = { requestLine: 8192, head: 16_384, fields: 100, body: 1 << 20 };

const REQUEST = bytesOf(
  [
    "GET /products/1234/reviews?page=2&sort=newest HTTP/1.1",
    "Host: shop.example.com",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101",
    "Accept: text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: https://shop.example.com/products",
    "Connection: keep-alive",
    "Cookie: session=0123456789abcdef01234567",
    "Cache-Control: no-cache",
    "X-Request-Id: 7f3a2b10",
    "\r\n",
  ].join("\r\n"),
);
const RESPONSE = bytesOf(
  [
    "HTTP/1.1 200 OK",
    "Server: nginx/1.22.1",
    "Date: Sat, 21 Nov 2026 09:00:00 GMT",
    "Content-Type: text/html; charset=utf-8",
    "Content-Length: 0",
    "Last-Modified: Fri, 20 Nov 2026 17:04:21 GMT",
    "Connection: keep-alive",
    'ETag: "655ba1c5-1a"',
    "Accept-Ranges: bytes",
    "\r\n",
  ].join("\r\n"),
);
const VIA = bytesOf("Via: 1.1 millrace\r\n");
const X_FORWARDED_FOR = bytesOf("X-Forwarded-For: ");

let sum = 0;
const sink: ByteSink = {
  write(_buf, start, end) {
    sum += end - start;
    return false;
  },
};

const requests = new RequestReceiver(limits);
const responses = new ResponseReceiver(limits);
const request = new RequestHead();
const upstream = new RequestHead();
const response = new ResponseHead();

function receiveRequest(): void {
  if (requests.receive(REQUEST, 0, REQUEST.length, request) !== "head") throw new Error("no head");
  requests.receive(REQUEST, requests.pos, REQUEST.length, request);
  requests.next();
}

function receiveResponse(): void {
  responses.begin("GET");
  if (responses.receive(RESPONSE, 0, RESPONSE.length, response) !== "head") {
    throw new Error("no head");
  }
  responses.receive(RESPONSE, responses.pos, RESPONSE.length, response);
}

function forwardRequest(): void {
  receiveRequest();
  upstream.copyFrom(request);
  upstream.removeHopByHop(false);
  upstream.fields.appendLine(VIA, FieldId.via);
  upstream.fields.appendField(FieldId.xForwardedFor, X_FORWARDED_FOR, "203.0.113.7");
  upstream.writeTo(sink);
}

function forwardResponse(): void {
  receiveResponse();
  response.removeHopByHop(false);
  response.writeTo(sink);
}

function measure(name: string, octets: number, run: () => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < ROUNDS; i++) run();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / ROUNDS);
  }
  console.log(`${name.padEnd(40)} ${octets} octets ${best.toFixed(0).padStart(6)} ns`);
}

measure("request: receive", REQUEST.length, receiveRequest);
measure("request: receive, copy, edit, write", REQUEST.length, forwardRequest);
measure("request: method, path, host name", REQUEST.length, () => {
  receiveRequest();
  sum += request.method.length + request.path.length + request.hostName.length;
});
measure("response: receive", RESPONSE.length, receiveResponse);
measure("response: receive, edit, write", RESPONSE.length, forwardResponse);
if (sum === 0) throw new Error("nothing was written");
