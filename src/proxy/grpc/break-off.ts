import type { NetError } from "../../core/errors.ts";
import { encodeStatusMessage } from "../../grpc/status-message.ts";
import { Fields } from "../../http/fields.ts";
import type { Exchange } from "../exchange.ts";
import { statusOf } from "../failure.ts";
import { grpcStatusOf, statusText } from "./answers.ts";

/**
 * Ends a response that has begun and cannot be finished with a status that says so; false where there is no
 * room for one, and the client's side has to be reset.
 */
export function breakOff(exchange: Exchange, error: NetError): boolean {
  const { bridge, call, downstream } = exchange;
  if (!call.active || error.source === "downstream" || !exchange.responses.openEnded) return false;
  const text = statusText(statusOf(error));
  call.status = grpcStatusOf(error);
  if (bridge === null) {
    const trailers = new Fields();
    trailers.append("grpc-status", String(call.status));
    trailers.append("grpc-message", encodeStatusMessage(text));
    downstream.sendEnd(trailers);
    return true;
  }
  const last = bridge.breakOff(call.status, text);
  if (last === null) return false;
  downstream.sendData(last, 0, last.length);
  downstream.sendEnd(null);
  return true;
}
