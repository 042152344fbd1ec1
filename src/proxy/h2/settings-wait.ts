import type { NetError } from "../../core/errors.ts";
import type { Exchange } from "../exchange.ts";
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
  if (session.room <= 0) {
    // Others have filled it: where they leave again, there is a place elsewhere, or later.
    if (session.busy) exchange.attempts.askAgain();
    else exchange.onUpstreamError(noStream(session.lost));
    return;
  }
  if (!mayEnter(session, exchange)) {
    session.awaitSettings(new SettingsWait(session, link, timeouts));
    return;
  }
  const side = session.join(exchange, timeouts, false);
  exchange.guard("connectedToUpstream", () => exchange.attempts.connected(side));
}

/**
 * Whether a request can go before the server's first SETTINGS. Not an upgrade, which depends on extended
 * CONNECT (RFC 8441 §3), nor what has a body, for a server that takes fewer would refuse it, and it may not
 * be there to be sent again; nor what was refused once.
 */
export const mayEnter = (session: UpstreamSession, { request, summary }: Exchange): boolean =>
  session.settled || (request.framing === "none" && !request.upgrade && summary.attempts === 1);

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
