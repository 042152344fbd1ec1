import { type ErrorCode, NetError } from "../../core/errors.ts";
import { type Seq, seqGe, seqLt } from "../../wire/seq.ts";
import type { IcmpError } from "../ip/ip-layer.ts";
import type { TcpConnection } from "./connection.ts";
import { shut } from "./teardown.ts";

/**
 * An ICMP error that quotes this connection. RFC 5927 §4.1: only one about something in flight is believed;
 * §5.2 and RFC 5461: even a hard one is a hint once the connection stands, and ends only the attempt to make one.
 */
export function icmpArrived(c: TcpConnection, error: IcmpError, quoted: Seq): boolean {
  const { snd } = c;
  if (c.state.kind === "Closed") return false;
  if (!(seqGe(quoted, snd.una) && seqLt(quoted, snd.nxt))) return false;
  const code = codeOf(error);
  if (code === null) return true;
  const failure = new NetError(code, `ICMP type ${error.type} code ${error.code}: ${code}`, {
    source: c.passive ? "downstream" : "upstream",
    retry: "always",
  });
  if (c.state.kind === "SynSent" && isHard(error)) shut(c, failure);
  else c.softError = failure;
  return true;
}

/** RFC 1122 §4.2.3.9; and what we found out ourselves, that the first hop does not answer, is no rumour. */
const isHard = ({ kind, from, source }: IcmpError): boolean =>
  kind === "protocol-unreachable" ||
  kind === "port-unreachable" ||
  kind === "prohibited" ||
  from === source;

function codeOf({ kind }: IcmpError): ErrorCode | null {
  switch (kind) {
    case "network-unreachable":
      return "ENETUNREACH";
    case "host-unreachable":
    case "prohibited":
    case "time-exceeded":
      return "EHOSTUNREACH";
    case "protocol-unreachable":
    case "port-unreachable":
      return "ECONNREFUSED";
    default:
      return null;
  }
}
