import type { Namespace } from "./namespace.ts";

const CHECKSUMS = ["ip.check_checksum", "tcp.check_checksum", "udp.check_checksum"];

/** The kernel's ICMP errors quote what it was handed: segments whose checksum was left to it. */
const QUOTING = "(icmp.type == 3 || icmpv6.type < 5)";

const WRONG = [
  "_ws.malformed",
  "ip.checksum.status == 0",
  `((tcp.checksum.status == 0 || udp.checksum.status == 0) && !${QUOTING})`,
  "icmp.checksum.status == 0",
  "icmpv6.checksum.status == 0",
].join(" || ");

const REPEATED =
  "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission || tcp.analysis.lost_segment";

/** A capture as tshark reads it. */
export class Dissection {
  readonly #namespace: Namespace;
  readonly #file: string;

  constructor(namespace: Namespace, file: string) {
    this.#namespace = namespace;
    this.#file = file;
  }

  /** Packets that pass a display filter, a line each. */
  async packets(filter: string, fields: readonly string[] = []): Promise<readonly string[]> {
    const wanted = fields.map((field) => ` -e ${field}`).join("");
    const output = wanted === "" ? "" : ` -T fields${wanted}`;
    const options = CHECKSUMS.map((name) => `-o ${name}:TRUE`).join(" ");
    const text = await this.#namespace.run(
      `tshark -n -r ${this.#file} ${options} -Y '${filter}'${output} 2>/dev/null`,
      { timeoutMs: 60_000 },
    );
    return text.split("\n").filter((line) => line !== "");
  }

  /** Malformed ones and those with a bad checksum. */
  wrong(): Promise<readonly string[]> {
    return this.packets(WRONG);
  }

  /** TCP segments that were sent again, or are missing. */
  repeated(): Promise<readonly string[]> {
    return this.packets(REPEATED);
  }
}
