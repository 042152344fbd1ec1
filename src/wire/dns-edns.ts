import { DnsType } from "./dns-data.ts";
import { DNS_ROOT } from "./dns-name.ts";
import type { DnsCursor } from "./dns-view.ts";
import type { DnsWriter } from "./dns-writer.ts";
import { copyOctets } from "./octets.ts";

/** RFC 6891 §6.1.4: DO, "answer with signatures". */
const DNSSEC_OK = 0x8000;

/** The OPT pseudo-record (RFC 6891 §6.1) but for the high bits of the message's rcode. */
export interface Edns {
  /** The largest UDP answer that the sender takes, in octets; below 512 counts as 512. */
  readonly udpPayloadSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

/** For instance a cookie (code 10, RFC 7873) or padding (code 12, RFC 7830). */
export interface EdnsOption {
  readonly code: number;
  readonly value: Uint8Array;
}

/** The OPT record that the cursor stands on, or null when its options do not fill it exactly. */
export function parseEdns(dv: DataView, cursor: DnsCursor): Edns | null {
  const options: EdnsOption[] = [];
  for (let at = cursor.dataStart; at < cursor.dataEnd; ) {
    if (cursor.dataEnd - at < 4) return null;
    const end = at + 4 + dv.getUint16(at + 2);
    if (end > cursor.dataEnd) return null;
    options.push({ code: dv.getUint16(at), value: copyOctets(dv, at + 4, end) });
    at = end;
  }
  const ttl = cursor.rawTtl;
  return {
    udpPayloadSize: cursor.class,
    version: (ttl >>> 16) & 0xff,
    dnssecOk: (ttl & DNSSEC_OK) !== 0,
    options,
  };
}

export function emitEdns(edns: Edns, highRcode: number, writer: DnsWriter): void {
  writer.plainName(DNS_ROOT);
  writer.u16(DnsType.OPT);
  writer.u16(edns.udpPayloadSize);
  writer.u8(highRcode);
  writer.u8(edns.version);
  writer.u16(edns.dnssecOk ? DNSSEC_OK : 0);
  const opened = writer.openLength();
  for (const { code, value } of edns.options) {
    writer.u16(code);
    const optionOpened = writer.openLength();
    writer.octets(value);
    writer.closeLength(optionOpened);
  }
  writer.closeLength(opened);
}
