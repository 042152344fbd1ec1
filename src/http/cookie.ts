/**
 * The value of a cookie in a Cookie field (RFC 6265 §4.2.1), undecoded, quotes included; of several with
 * that name the first, which is the most specific one (RFC 6265 §5.4). Names are case-sensitive.
 */
export function cookieValue(header: string, name: string): string | undefined {
  if (name === "") return undefined;
  let at = 0;
  while (at < header.length) {
    let end = header.indexOf(";", at);
    if (end < 0) end = header.length;
    while (at < end && isSpace(header.charCodeAt(at))) at++;
    const equals = header.indexOf("=", at);
    if (equals >= 0 && equals < end && header.slice(at, equals).trimEnd() === name) {
      return header.slice(equals + 1, end).trim();
    }
    at = end + 1;
  }
  return undefined;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
