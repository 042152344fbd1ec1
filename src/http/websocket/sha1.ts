/** SHA-1 (FIPS 180-4 §6.1) of a short text, one octet a character: RFC 6455 asks for it, as no secret. */
export function sha1(text: string): Uint8Array {
  const blocks = ((text.length + 8) >> 6) + 1;
  const input = new DataView(new ArrayBuffer(blocks * 64));
  for (let i = 0; i < text.length; i++) input.setUint8(i, text.charCodeAt(i));
  input.setUint8(text.length, 0x80);
  input.setUint32(blocks * 64 - 4, text.length * 8);
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
  const words = new Int32Array(80);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 16; i++) words[i] = input.getInt32(block * 64 + i * 4);
    for (let i = 16; i < 80; i++) {
      words[i] = rotate(words[i - 3]! ^ words[i - 8]! ^ words[i - 14]! ^ words[i - 16]!, 1);
    }
    compress(state, words);
  }
  const digest = new DataView(new ArrayBuffer(20));
  for (let i = 0; i < 5; i++) digest.setInt32(i * 4, state[i]!);
  return new Uint8Array(digest.buffer);
}

function compress(state: Int32Array, words: Int32Array): void {
  let [a, b, c, d, e] = state as unknown as [number, number, number, number, number];
  for (let i = 0; i < 80; i++) {
    const mixed =
      i < 20
        ? ((b & c) | (~b & d)) + 0x5a827999
        : i < 40
          ? (b ^ c ^ d) + 0x6ed9eba1
          : i < 60
            ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
            : (b ^ c ^ d) + 0xca62c1d6;
    const next = (rotate(a, 5) + mixed + e + words[i]!) | 0;
    e = d;
    d = c;
    c = rotate(b, 30);
    b = a;
    a = next;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));
