/** One request as it stood on the wire, read apart from src/http so that the two can disagree. */
export interface WireRequest {
  /** "GET /path HTTP/1.1". */
  readonly line: string;
  /** In the order and the case of the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** All values of a field by its lower-case name. */
  all(name: string): readonly string[];
  /** The first value, or null. */
  header(name: string): string | null;
  /** Without chunk framing. */
  readonly body: string;
  readonly trailers: string;
  /** The message as it stood on the wire. */
  readonly raw: string;
}

/** The first request in `text`, or null when it is not whole yet. For well-formed messages only. */
export function readRequest(text: string): WireRequest | null {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [line, ...lines] = text.slice(0, headEnd).split("\r\n");
  const headers = lines.map((field): readonly [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const all = (name: string) =>
    headers.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
  const start = headEnd + 4;
  const chunked = all("transfer-encoding").includes("chunked");
  const body = chunked
    ? readChunks(text, start)
    : readCounted(text, start, Number(all("content-length")[0] ?? 0));
  if (body === null) return null;
  return {
    line: line!,
    headers,
    all,
    header: (name) => all(name)[0] ?? null,
    body: body.text,
    trailers: body.trailers,
    raw: text.slice(0, body.end),
  };
}

interface Body {
  readonly text: string;
  readonly trailers: string;
  readonly end: number;
}

function readCounted(text: string, start: number, length: number): Body | null {
  const end = start + length;
  return text.length < end ? null : { text: text.slice(start, end), trailers: "", end };
}

function readChunks(text: string, start: number): Body | null {
  let body = "";
  for (let at = start; ; ) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      if (text.startsWith("\r\n", at)) return { text: body, trailers: "", end: at + 2 };
      const end = text.indexOf("\r\n\r\n", at);
      return end < 0 ? null : { text: body, trailers: text.slice(at, end), end: end + 4 };
    }
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
}
