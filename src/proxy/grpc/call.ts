import { after, type Duration, elapsed, type Instant } from "../../core/time.ts";
import { isGrpcType } from "../../grpc/media-type.ts";
import { parseGrpcStatus } from "../../grpc/status.ts";
import { formatGrpcTimeout, parseGrpcTimeout } from "../../grpc/timeout.ts";
import { FieldId } from "../../http/field-id.ts";
import type { Fields } from "../../http/fields.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";

/** What an exchange knows of the gRPC call that it carries, if it does; reused from request to request. */
export class GrpcCall {
  /** The upstream is called by gRPC: the client speaks it, too, or a bridge does in its place. */
  active = false;
  /** How the call ended, -1 while that is not known. */
  status = -1;
  /** What a failure of the proxy itself is answered with, -1 without one. */
  failure = -1;
  /** 0: without a deadline. */
  private deadline = 0;

  begin(): void {
    this.active = false;
    this.status = -1;
    this.failure = -1;
    this.deadline = 0;
  }

  /** Looks whether a request over HTTP/2 is a call: costs the others one look at a bit. */
  look(head: RequestHead, startedAt: Instant): void {
    const { fields } = head;
    const type = fields.first(FieldId.contentType);
    if (type === -1 || !isGrpcType(fields.bytes, fields.valueStart(type), fields.valueEnd(type))) {
      return;
    }
    if (head.isMethod("POST")) this.take(fields, startedAt);
  }

  /** The request is a call, begun at `startedAt`. */
  take(fields: Fields, startedAt: Instant): void {
    this.active = true;
    const timeout = fields.get("grpc-timeout");
    const allowed = timeout === undefined ? null : parseGrpcTimeout(timeout);
    if (allowed !== null) this.deadline = after(startedAt, allowed);
  }

  /** The time that is left, 0 or less when it is over; null without a deadline. */
  left(now: Instant): Duration | null {
    return this.deadline === 0 ? null : elapsed(now, this.deadline as Instant);
  }

  /**
   * Tells the upstream how much time is left. PROTOCOL-HTTP2.md says nothing of a timeout that is none;
   * servers disagree (grpc-go fails the call): it counts as omitted here, so it must go no further.
   */
  prepareRequest({ fields }: RequestHead, now: Instant): void {
    const left = this.left(now);
    if (left !== null) return fields.set("grpc-timeout", formatGrpcTimeout(left));
    const own = fields.get("grpc-timeout");
    if (own !== undefined && parseGrpcTimeout(own) === null) fields.delete("grpc-timeout");
  }

  /** A response without a body has its status in its head (Trailers-Only). */
  headSeen({ fields, framing }: ResponseHead): void {
    if (framing === "chunked") return;
    const own = fields.get("grpc-status");
    if (own !== undefined) this.status = parseGrpcStatus(own);
  }

  trailersSeen(trailers: Fields | null): void {
    if (this.status === -1) this.status = parseGrpcStatus(trailers?.get("grpc-status"));
  }
}
