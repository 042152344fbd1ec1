import type { StackEvent } from "../../netstack/events.ts";
import { macText } from "../../wire/mac.ts";
import type { Report } from "../report.ts";

/** Lines in a burst, and a second: whoever announces routers without end must not fill a disk. */
const BURST = 50;
const PER_SECOND = 5;

/** Says what the user of a host wants to hear of while it runs. What peers make happen too often is counted. */
export class EventReport {
  readonly #report: Report;
  readonly #now: () => number;
  #allowed = BURST;
  #since: number;
  #left = 0;

  /** `now`: in milliseconds. */
  constructor(report: Report, now: () => number) {
    this.#report = report;
    this.#now = now;
    this.#since = now();
  }

  tell(event: StackEvent): void {
    const text = textOf(event);
    if (text === null || !this.#mayTell()) return;
    if (isTrouble(event)) this.#report.warn(text);
    else this.#report.info(text);
  }

  #mayTell(): boolean {
    const now = this.#now();
    this.#allowed = Math.min(this.#allowed + ((now - this.#since) / 1_000) * PER_SECOND, BURST);
    this.#since = now;
    if (this.#allowed < 1) {
      this.#left++;
      return false;
    }
    this.#allowed--;
    if (this.#left > 0) this.#report.warn(`${this.#left} more events, left out`);
    this.#left = 0;
    return true;
  }
}

const isTrouble = (event: StackEvent): boolean =>
  event.kind === "address-conflict" ||
  (event.kind === "address-changed" && event.state === "duplicated");

/** Null for what goes without saying. */
function textOf(event: StackEvent): string | null {
  switch (event.kind) {
    case "interface-up":
      return event.interface === "lo" ? null : `${event.interface} is up`;
    case "interface-down":
      return event.interface === "lo" ? null : `${event.interface} is down`;
    case "mtu-changed":
      return `${event.interface} has an MTU of ${event.mtu}`;
    case "address-conflict":
      return `${event.address} on ${event.interface} is claimed by another host, too: ${macText(event.mac)}`;
    case "address-changed":
      if (event.state === "duplicated") {
        return `${event.address} on ${event.interface} is not used here, since another host has it: choose another address`;
      }
      return `${event.address} on ${event.interface} is ${event.state}`;
    case "router-added":
      return `${event.address} on ${event.interface} is a router`;
    case "name-servers":
      if (event.servers.length === 0) return null;
      return `name servers on ${event.interface}: ${event.servers.join(", ")}`;
    case "dhcp-state": {
      const address = event.address === null ? "" : `, ${event.address}`;
      return `dhcp on ${event.interface}: ${event.state}${address}`;
    }
    default:
      return null;
  }
}
