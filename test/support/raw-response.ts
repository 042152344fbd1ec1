/** One response as it stood on the wire. */
export interface RawResponse {
  /** The status line without its line end. */
  readonly statusLine: string;
  readonly status: number;
  /** In the order and the case of the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The first value of a field by its lower-case name, else null. */
  header(name: string): string | null;
  /** Without chunk framing. */
  readonly body: Buffer;
  /** Trailer fields of a chunked body. */
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** Bytes that the response took. */
  readonly length: number;
}

type FieldLines = (readonly [name: string, value: string])[];

/**
 * The first response in `bytes`, null when more is needed. Deliberately plain and apart from
 * src/http, so that the two can disagree. Throws on what is not HTTP/1.
 */
export function readResponse(bytes: Buffer, method: string, ended: boolean): RawResponse | null {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) return null;
  const lines = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const statusLine = lines[0]!;
  const status = Number(/^HTTP\/1\.[01] (\d{3})( |$)/.exec(statusLine)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const headers = lines.slice(1).map(fieldLine);
  const header = (name: string) => headers.find(([n]) => n.toLowerCase() === name)?.[1] ?? null;
  const build = (body: Buffer, length: number, trailers: FieldLines = []): RawResponse => ({
    statusLine,
    status,
    headers,
    header,
    body: Buffer.from(body),
    trailers,
    length,
  });

  const start = headEnd + 4;
  // RFC 9112 §6.3: these have no content whatever the fields say.
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return build(Buffer.alloc(0), start);
  }
  if (/(^|,)\s*chunked\s*$/i.test(header("transfer-encoding") ?? "")) {
    const chunked = readChunks(bytes, start);
    return chunked && build(chunked.body, chunked.end, chunked.trailers);
  }
  const declared = header("content-length");
  if (declared !== null) {
    const end = start + Number(declared);
    return bytes.length < end ? null : build(bytes.subarray(start, end), end);
  }
  return ended ? build(bytes.subarray(start), bytes.length) : null;
}

function readChunks(
  bytes: Buffer,
  start: number,
): { body: Buffer; end: number; trailers: FieldLines } | null {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (Number.isNaN(size)) throw new Error(`not a chunk size at byte ${at}`);
    at = lineEnd + 2;
    if (size === 0) return readTrailers(bytes, at, Buffer.concat(parts));
    if (bytes.length < at + size + 2) return null;
    parts.push(bytes.subarray(at, at + size));
    if (bytes.toString("latin1", at + size, at + size + 2) !== "\r\n") {
      throw new Error(`no line end after the chunk at byte ${at}`);
    }
    at += size + 2;
  }
}

function readTrailers(
  bytes: Buffer,
  start: number,
  body: Buffer,
): { body: Buffer; end: number; trailers: FieldLines } | null {
  const trailers: FieldLines = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return null;
    if (lineEnd === at) return { body, end: at + 2, trailers };
    trailers.push(fieldLine(bytes.toString("latin1", at, lineEnd)));
    at = lineEnd + 2;
  }
}

function fieldLine(line: string): readonly [string, string] {
  const colon = line.indexOf(":");
  if (colon === -1) throw new Error(`not a field line: ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
