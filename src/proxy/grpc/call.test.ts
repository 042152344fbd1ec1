import { expect, test } from "vitest";
import { instant } from "../../core/time.ts";
import { RequestHead } from "../../http/head.ts";
import { GrpcCall } from "./call.ts";

/** What a call with these timeouts, one second old, tells its upstream and itself. */
function told(...timeouts: string[]): { upstream: string | undefined; left: number | null } {
  const head = new RequestHead();
  head.method = "POST";
  head.fields.append("content-type", "application/grpc");
  for (const timeout of timeouts) head.fields.append("grpc-timeout", timeout);
  const call = new GrpcCall();
  call.look(head, instant(5_000_000));
  const now = instant(6_000_000);
  call.prepareRequest(head, now);
  return { upstream: head.fields.get("grpc-timeout"), left: call.left(now) };
}

test("a timeout, is passed on less what has passed", () => {
  expect(told("3S")).toEqual({ upstream: "2000000u", left: 2_000_000 });
});

test.each([[["soon"]], [["123456789S"]], [["-1S"]], [["1.5S"]], [[""]], [["1S", "2S"]]])(
  "%j, is no timeout here, nor at the upstream",
  (timeouts) => {
    expect(told(...timeouts)).toEqual({ upstream: undefined, left: null });
  },
);

test("a timeout that a hook has added, is passed on as it is", () => {
  const head = new RequestHead();
  const call = new GrpcCall();
  call.take(head.fields, instant(5_000_000));
  head.fields.set("grpc-timeout", "7S");
  call.prepareRequest(head, instant(6_000_000));
  expect(head.fields.get("grpc-timeout")).toBe("7S");
});
