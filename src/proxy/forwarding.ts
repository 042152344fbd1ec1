import { bytesOf } from "../core/bytes.ts";
import { FieldId } from "../http/field-id.ts";
import type { Fields } from "../http/fields.ts";
import { forwardedElement } from "../http/forwarded.ts";
import type { RequestHead } from "../http/head.ts";
import type { ForwardingPolicy } from "./settings.ts";

/** What is known of the client's side of this hop. */
export interface Hop {
  readonly clientAddress: string;
  readonly scheme: "http" | "https";
  readonly protocol: "http/1.1" | "h2";
  /** The Host as received. */
  readonly host: string;
}

const xForwardedFor = bytesOf("X-Forwarded-For: ");
const xForwardedProto = bytesOf("X-Forwarded-Proto: ");
const xForwardedHost = bytesOf("X-Forwarded-Host: ");
const forwarded = bytesOf("Forwarded: ");

/** A listener's policy for the fields that name this hop, with its constant lines made ready. */
export class Forwarding {
  private readonly policy: ForwardingPolicy;
  private readonly via10: Uint8Array | null;
  private readonly via11: Uint8Array | null;
  private readonly via20: Uint8Array | null;

  constructor(policy: ForwardingPolicy) {
    this.policy = policy;
    this.via10 = policy.via === null ? null : bytesOf(`Via: 1.0 ${policy.via}\r\n`);
    this.via11 = policy.via === null ? null : bytesOf(`Via: 1.1 ${policy.via}\r\n`);
    this.via20 = policy.via === null ? null : bytesOf(`Via: 2.0 ${policy.via}\r\n`);
  }

  /** Adds the fields to a request on its way to the upstream. */
  apply(head: RequestHead, hop: Hop): void {
    const fields = head.fields;
    // RFC 9110 §7.6.3: the version is the one in which the message was received.
    const via = hop.protocol === "h2" ? this.via20 : head.minor === 0 ? this.via10 : this.via11;
    if (via !== null) fields.appendLine(via, FieldId.via);
    if (this.policy.xForwarded !== "off") {
      const replace = this.policy.xForwarded === "replace";
      extend(fields, FieldId.xForwardedFor, xForwardedFor, hop.clientAddress, replace);
      keepFirst(fields, FieldId.xForwardedProto, xForwardedProto, hop.scheme, replace);
      if (hop.host !== "") {
        keepFirst(fields, FieldId.xForwardedHost, xForwardedHost, hop.host, replace);
      }
    }
    if (this.policy.forwarded !== "off") {
      const element = forwardedElement({
        for: hop.clientAddress,
        proto: hop.scheme,
        ...(hop.host === "" ? {} : { host: hop.host }),
      });
      const replace = this.policy.forwarded === "replace";
      extend(fields, FieldId.forwarded, forwarded, element, replace);
    }
  }
}

/** A list that each hop extends at its end: one line, what came first. */
function extend(
  fields: Fields,
  id: number,
  name: Uint8Array,
  value: string,
  replace: boolean,
): void {
  let line = fields.first(id);
  if (line === -1) {
    fields.appendField(id, name, value);
    return;
  }
  let list = "";
  for (; line !== -1; line = fields.next(id, line)) {
    if (!replace) list += `${fields.value(line)}, `;
    fields.remove(line);
  }
  fields.appendField(id, name, list + value);
}

/** A fact that the first hop states and later ones pass on. */
function keepFirst(
  fields: Fields,
  id: number,
  name: Uint8Array,
  value: string,
  replace: boolean,
): void {
  if (fields.first(id) !== -1) {
    if (!replace) return;
    fields.removeId(id);
  }
  fields.appendField(id, name, value);
}
