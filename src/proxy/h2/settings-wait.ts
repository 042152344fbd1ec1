import type { NetError } from "../../core/errors.ts";
import type { PendingLink, WaitingPlace } from "../pending-link.ts";
import type { UpstreamTimeouts } from "../settings.ts";
import { noStream } from "./upstream-faults.ts";
import type { SettingsWaiter, UpstreamSession } from "./upstream-session.ts";

/** Takes a request that waited for `session` onto it, at once or when it is known what the server takes. */
export function enter(
  session: UpstreamSession,
  link: PendingLink,
  timeouts: UpstreamTimeouts,
): void {
  const { exchange } = link;
  if (session.room <= 0) return exchange.onUpstreamError(noStream(session.lost));
  if (exchange.request.upgrade && !session.settled) {
    session.awaitSettings(new SettingsWait(session, link, timeouts));
    return;
  }
  const side = session.join(exchange, timeouts, false);
  exchange.guard("connectedToUpstream", () => exchange.attempts.connected(side));
}

/** Whether there is extended CONNECT for an upgrade is known from the server's first SETTINGS (RFC 8441 §3). */
class SettingsWait implements WaitingPlace, SettingsWaiter {
  private readonly session: UpstreamSession;
  private readonly link: PendingLink;
  private readonly timeouts: UpstreamTimeouts;

  constructor(session: UpstreamSession, link: PendingLink, timeouts: UpstreamTimeouts) {
    this.session = session;
    this.link = link;
    this.timeouts = timeouts;
    link.place = this;
  }

  leave(): void {
    this.session.forget(this);
  }

  settled(): void {
    enter(this.session, this.link, this.timeouts);
  }

  unsettled(error: NetError | null): void {
    this.link.exchange.onUpstreamError(noStream(error));
  }
}
