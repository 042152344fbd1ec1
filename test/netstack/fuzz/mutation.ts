import { checksum16 } from "../../../src/wire/checksum.ts";
import { Ipv4View, Ipv6View, Ipv6Walker, pseudoSumV6 } from "../../../src/wire/public.ts";
import type { Dice } from "./dice.ts";

const ipv4 = new Ipv4View();
const ipv6 = new Ipv6View();
const walker = new Ipv6Walker();

/** A frame that is nearly the one that was seen: flipped, cut, extended, spliced, with sums that fit or not. */
export function mutate(frame: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  let bytes: Uint8Array = frame.slice();
  for (let i = dice.below(4); i > 0; i--) bytes = change(bytes, other, dice);
  if (dice.chance(0.7)) mend(bytes);
  return bytes;
}

function change(bytes: Uint8Array, other: Uint8Array, dice: Dice): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = dice.chance(0.8) ? dice.below(Math.min(bytes.length, 100)) : dice.below(bytes.length);
  switch (dice.below(7)) {
    case 0:
      bytes[at]! ^= 1 << dice.below(8);
      return bytes;
    case 1:
      bytes[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
      return bytes;
    case 2: // cut
      return bytes.slice(0, dice.below(bytes.length + 1));
    case 3: {
      // extended
      const longer = new Uint8Array(bytes.length + dice.below(64));
      longer.set(bytes);
      return longer;
    }
    case 4: // two fields change places
      for (let i = 0; i < 4 && at + 4 + i < bytes.length; i++) {
        const byte = bytes[at + i]!;
        bytes[at + i] = bytes[at + 4 + i]!;
        bytes[at + 4 + i] = byte;
      }
      return bytes;
    case 5: {
      // a run of another frame
      const run = other.subarray(at, Math.min(other.length, at + dice.below(32), bytes.length));
      bytes.set(run, at);
      return bytes;
    }
    default: {
      // a number near what it was
      if (at + 4 > bytes.length) return bytes;
      const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      dv.setUint32(
        at,
        dv.getUint32(at) + dice.pick([1, -1, 1448, -1448, 65_535, 1 << 20, 1 << 30]),
      );
      return bytes;
    }
  }
}

/** Makes the checksums right, as far as the packet can be read. */
function mend(bytes: Uint8Array): void {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 34) return;
  const type = dv.getUint16(12);
  if (type === 0x0800 && ipv4.wrap(dv, 14, bytes.length) === "ok") {
    ipv4.fillChecksum();
    if (!ipv4.isFragment) {
      mendPayload(dv, ipv4.protocol, ipv4.payloadStart, ipv4.payloadEnd, ipv4.pseudoSum);
    }
  } else if (type === 0x86dd && ipv6.wrap(dv, 14, bytes.length) === "ok") {
    if (walker.wrap(dv, 54, ipv6.payloadEnd, ipv6.nextHeader) !== "ok") return;
    const { protocol, payloadStart, payloadEnd } = walker;
    const sum = pseudoSumV6(dv, 22, protocol, payloadEnd - payloadStart);
    mendPayload(dv, protocol, payloadStart, payloadEnd, sum);
  }
}

function mendPayload(
  dv: DataView,
  protocol: number,
  start: number,
  end: number,
  sum: number,
): void {
  const places: Record<number, number> = { 6: 16, 17: 6, 1: 2, 58: 2, 2: 2 };
  const at = places[protocol];
  if (at === undefined || start + at + 2 > end) return;
  dv.setUint16(start + at, 0);
  const initial = protocol === 1 || protocol === 2 ? 0 : sum;
  dv.setUint16(start + at, checksum16(dv, start, end, initial));
}
