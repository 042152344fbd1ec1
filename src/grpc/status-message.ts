/**
 * The value of a grpc-message field: UTF-8 with everything but printable ASCII, and "%", escaped as %XX
 * (PROTOCOL-HTTP2.md, Percent-Encoded).
 */
export function encodeStatusMessage(message: string): string {
  if (/^[\x20-\x24\x26-\x7e]*$/.test(message) && message.trim() === message) return message;
  let encoded = "";
  const bytes = new TextEncoder().encode(message);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    // Blanks at the ends would not survive as part of a field's value.
    const edge = byte === 0x20 && (i === 0 || i === bytes.length - 1);
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && !edge) {
      encoded += String.fromCharCode(byte);
    } else encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** The message in a grpc-message field. Broken escapes stand for themselves, never an error. */
export function decodeStatusMessage(value: string): string {
  if (!/[%\x80-\xff]/.test(value)) return value;
  const bytes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const escaped = /^%[0-9a-fA-F]{2}$/.test(value.slice(i, i + 3));
    if (escaped) {
      bytes.push(Number.parseInt(value.slice(i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(value.charCodeAt(i) & 0xff);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
