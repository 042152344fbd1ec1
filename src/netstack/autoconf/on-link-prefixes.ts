import type { Instant } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import { Deadline } from "../deadline.ts";
import type { Interface } from "../interface.ts";
import type { Route } from "../ip/route.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import type { Prefix } from "../prefix.ts";
import { earlier, lifetimeEnd } from "./lifetime.ts";

/** Before what goes through routers, behind what was set by hand; as in Linux. */
const ON_LINK_METRIC = 256;

/**
 * The Prefix List (RFC 4861 §5.1): destinations that are neighbours because a router says so. At most
 * `limits.prefixesPerInterface`; further ones are ignored, and their hosts reached through a router.
 */
export class OnLinkPrefixes {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  readonly #entries: OnLinkPrefix[] = [];
  readonly #deadline: Deadline;

  constructor(context: StackContext, iface: Interface, routes: RoutingTable) {
    this.#context = context;
    this.#iface = iface;
    this.#routes = routes;
    this.#deadline = new Deadline(context, (now) => this.#expire(now));
  }

  get size(): number {
    return this.#entries.length;
  }

  /** A prefix with the L flag; `valid` in seconds as received, 0 withdraws it at once (§6.3.4). */
  advertise(prefix: Prefix, valid: number): void {
    if (prefix.ip.isLinkLocal || prefix.ip.isMulticast) return;
    const now = this.#context.now();
    const entry = this.#entries.find((one) => one.prefix.equals(prefix));
    if (entry !== undefined) {
      entry.validUntil = lifetimeEnd(now, valid);
    } else {
      if (valid === 0 || this.#entries.length >= this.#context.limits.prefixesPerInterface) return;
      const route = this.#routes.add({
        destination: prefix,
        interface: this.#iface,
        metric: ON_LINK_METRIC,
        origin: "router-advertisement",
      });
      if (route === null) return;
      this.#entries.push({ prefix, route, validUntil: lifetimeEnd(now, valid) });
    }
    this.#expire(now);
  }

  flush(): void {
    for (const { route } of this.#entries.splice(0)) this.#routes.remove(route);
    this.#deadline.cancel();
  }

  #expire(now: Instant): void {
    let next = FOREVER;
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { route, validUntil } = this.#entries[i]!;
      if (validUntil > now) {
        next = earlier(next, validUntil);
        continue;
      }
      this.#entries.splice(i, 1);
      this.#routes.remove(route);
    }
    this.#deadline.set(next);
  }
}

interface OnLinkPrefix {
  readonly prefix: Prefix;
  readonly route: Route;
  validUntil: Instant;
}
