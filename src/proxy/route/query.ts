/**
 * The first parameter of that name in a query (without its "?"), read as forms are: "&" between pairs,
 * "+" for a blank, escapes decoded as UTF-8 (WHATWG URL §5.1). A name without "=" has the value "".
 */
export function queryParameter(query: string, name: string): string | undefined {
  for (let start = 0; start <= query.length; ) {
    const and = query.indexOf("&", start);
    const end = and < 0 ? query.length : and;
    const equals = query.indexOf("=", start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (nameEnd > start && decode(query.slice(start, nameEnd)) === name) {
      return nameEnd === end ? "" : decode(query.slice(nameEnd + 1, end));
    }
    start = end + 1;
  }
  return undefined;
}

/** A piece that is not well-formed stays as it is, and so equals nothing but itself. */
function decode(piece: string): string {
  if (!/[%+]/.test(piece)) return piece;
  try {
    return decodeURIComponent(piece.replaceAll("+", " "));
  } catch {
    return piece;
  }
}
