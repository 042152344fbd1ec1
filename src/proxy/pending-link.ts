import type { Exchange } from "./exchange.ts";
import type { DetachedStream, Upstream } from "./sides.ts";
import type { Endpoint } from "./upstream/endpoint.ts";

/** Where a request waits for a connection that others may share. */
export interface WaitingPlace {
  leave(link: PendingLink): void;
}

/**
 * Holds the place of an exchange's connection until it is known which it will be: then
 * `attempts.connected` is called with that one. Nothing is sent on this.
 */
export class PendingLink implements Upstream {
  readonly exchange: Exchange;
  readonly endpoint: Endpoint;
  readonly protocol = "h2";
  readonly tls = null;
  readonly upgrades = false;
  readonly established = false;
  readonly reused = false;
  readonly responded = false;
  place: WaitingPlace | null = null;

  constructor(exchange: Exchange, endpoint: Endpoint) {
    this.exchange = exchange;
    this.endpoint = endpoint;
  }

  cancel(): void {
    this.place?.leave(this);
  }

  release(): void {
    this.place?.leave(this);
  }

  sendHead(): void {}

  sendData(): boolean {
    return false;
  }

  sendEnd(): void {}

  holdResponse(): void {}

  releaseResponse(): void {}

  detach(): DetachedStream {
    throw new TypeError("the connection is not there yet");
  }
}
