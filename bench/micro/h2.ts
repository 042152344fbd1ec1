/**
 * Nanoseconds per HTTP/2 head and request: field blocks decoded and encoded, and a whole request through
 * a server session, answered at once.
 *
 *     node bench/micro/h2.ts
 */
import { bytesOf } from "../../src/core/bytes.ts";
import type { Clock, Instant } from "../../src/core/time.ts";
import type { ByteSink } from "../../src/core/transport.ts";
import { fieldIdAt } from "../../src/http/field-id.ts";
import { DEFAULT_LIMITS } from "../../src/http/h2/limits.ts";
import type { RequestOwner, ServerOwner } from "../../src/http/h2/owner.ts";
import { requestReader } from "../../src/http/h2/request-reader.ts";
import { ServerSession } from "../../src/http/h2/server-session.ts";
import type { H2Stream } from "../../src/http/h2/stream.ts";
import { FIELD, HpackDecoder } from "../../src/http/hpack/decoder.ts";
import { HpackEncoder, isSecret } from "../../src/http/hpack/encoder.ts";
import { RequestHead } from "../../src/http/request-head.ts";
import { ResponseHead } from "../../src/http/response-head.ts";

const ROUNDS = 300_000;

const FIELDS: readonly (readonly [string, string])[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":authority", "shop.example.com"],
  [":path", "/products/1234/reviews?page=2&sort=newest"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"],
  ["accept", "text/html,application/xhtml+xml,*/*;q=0.8"],
  ["accept-language", "en-GB,en;q=0.5"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["referer", "https://shop.example.com/products"],
  ["cookie", "session=0123456789abcdef01234567"],
  ["cache-control", "no-cache"],
  ["x-request-id", "7f3a2b10"],
];

const secret = (field: Uint8Array, name: number): boolean =>
  isSecret(fieldIdAt(field, 0, name), field.length - name);

/** The block of those fields by an encoder that has seen them `times` times before. */
function blockOf(times: number): { before: Uint8Array[]; block: Uint8Array } {
  const encoder = new HpackEncoder();
  const blocks: Uint8Array[] = [];
  for (let i = 0; i <= times; i++) {
    const out = new Uint8Array(2048);
    let at = encoder.begin(out, 0);
    for (const [name, value] of FIELDS) {
      const buf = bytesOf(name + value);
      const length = name.length;
      at = encoder.field(out, at, buf, 0, length, length, buf.length, secret(buf, length));
    }
    blocks.push(out.slice(0, at));
  }
  return { before: blocks.slice(0, -1), block: blocks.at(-1)! };
}

function measure(name: string, octets: number, run: () => void): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    // CPU time: other work on the machine does not count.
    const before = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / ROUNDS);
  }
  console.log(`${name.padEnd(44)} ${octets} octets ${best.toFixed(0).padStart(6)} ns`);
}

let sum = 0;
const sink: ByteSink = {
  write(_buf, start, end) {
    sum += end - start;
    return false;
  },
};

function decoding(name: string, times: number): void {
  const { before, block } = blockOf(times);
  const decoder = new HpackDecoder(4096);
  const head = new RequestHead();
  for (const early of before) decode(decoder, early);
  measure(`12 fields, ${name}: decode`, block.length, () => decode(decoder, block));
  measure(`12 fields, ${name}: decode to a head`, block.length, () => {
    const fault = requestReader.read(decoder, block, 0, block.length, head, true, DEFAULT_LIMITS);
    if (fault !== null) throw new Error(fault.reason);
  });
}

function decode(decoder: HpackDecoder, block: Uint8Array): void {
  decoder.begin(block, 0, block.length);
  while (decoder.next() === FIELD) sum += decoder.lineEnd;
}

function encoding(): void {
  const encoder = new HpackEncoder();
  const out = new Uint8Array(4096);
  const names = FIELDS.map(([name]) => name.length);
  const lines = FIELDS.map(([name, value]) => bytesOf(name + value));
  const never = lines.map((line, i) => secret(line, names[i]!));
  const run = (): number => {
    let at = encoder.begin(out, 0);
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const length = names[i]!;
      at = encoder.field(out, at, line, 0, length, length, line.length, never[i]!);
    }
    return at;
  };
  run();
  run();
  measure("12 fields, repeated: encode", run(), run);
  const fresh = (): number => {
    // Never the same twice: the eight digits of the last value change, so it is coded anew.
    const id = lines[11]!;
    for (let i = id.length - 1; (id[i]! = id[i]! === 0x39 ? 0x30 : 0x39) === 0x30; ) i--;
    return run();
  };
  measure("12 fields, one of them new: encode", fresh(), fresh);
}

const clock: Clock = { now: () => 0 as Instant };

/** A request of few fields, as load generators send it, and a response of four with 2 octets. */
function exchanging(): void {
  const response = new ResponseHead();
  response.fields.append("Server", "nginx/1.22.1");
  response.fields.append("Date", "Sat, 21 Nov 2026 09:00:00 GMT");
  response.fields.append("Content-Type", "text/plain");
  response.fields.append("Content-Length", "2");
  const body = bytesOf("ok");
  class Owner implements RequestOwner {
    readonly request = new RequestHead();
    stream: H2Stream | null = null;
    onHead(): void {
      session.sendHead(this.stream!, response, "length", 2);
      session.sendData(this.stream!, body, 0, 2);
      session.sendEnd(this.stream!, null);
    }
    onMalformed(): void {
      throw new Error("malformed");
    }
    onData(): void {}
    onEnd(): void {}
    onWritable(): void {}
    onReset(): void {
      throw new Error("reset");
    }
  }
  const own = new Owner();
  const owner: ServerOwner = {
    onRequest(stream) {
      own.stream = stream;
      return own;
    },
    onFailure(fault) {
      throw new Error(fault.reason);
    },
    onQuiet() {},
  };
  let session = new ServerSession({ sink, clock }, owner);
  const encoder = new HpackEncoder();
  const frames: Uint8Array[] = [];
  const window = "\0\0\x04\x08\0\0\0\0\0\x7f\0\0\0";
  const hello = Buffer.from(
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0${window}`,
    "latin1",
  );
  const fields = [...FIELDS.slice(0, 4), ["user-agent", "h2load nghttp2/1.52.0"]] as const;
  for (let i = 0; i < 3; i++) {
    const out = Buffer.alloc(512);
    let at = encoder.begin(out, 9);
    for (const [name, value] of fields) {
      const buf = bytesOf(name + value);
      at = encoder.field(out, at, buf, 0, name.length, name.length, buf.length, false);
    }
    out.writeUIntBE(at - 9, 0, 3);
    out[3] = 1;
    out[4] = 5;
    frames.push(out.subarray(0, at));
  }
  let id = 1;
  const batch = Buffer.concat(Array<Uint8Array>(32).fill(frames[2]!));
  const length = frames[2]!.length;
  const begin = (): void => {
    session = new ServerSession({ sink, clock }, owner);
    session.receive(hello, 0, hello.length);
    id = 1;
    for (const frame of frames.slice(0, 2)) {
      Buffer.from(frame.buffer, frame.byteOffset).writeUInt32BE(id, 5);
      id += 2;
      session.receive(frame, 0, frame.length);
    }
  };
  begin();
  let turn = 0;
  measure("request and response, 32 a turn", length, () => {
    if (++turn % 32 !== 0) return;
    for (let i = 0; i < 32; i++, id += 2) batch.writeUInt32BE(id, i * length + 5);
    session.receive(batch, 0, batch.length);
  });
}

decoding("first time", 0);
decoding("repeated", 2);
encoding();
exchanging();
if (sum === 0) throw new Error("nothing was written");
