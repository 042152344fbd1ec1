import type { Instant } from "../../core/time.ts";
import { Faults, type H2Fault } from "./fault.ts";
import {
  INITIAL_WINDOW,
  MAX_FRAME_SIZE,
  MAX_STREAM_ID,
  MAX_WINDOW,
  MIN_FRAME_SIZE,
} from "./frame-type.ts";
import type { H2Limits } from "./limits.ts";

/** Identifiers (RFC 9113 §6.5.2; RFC 8441 §3; RFC 9218 §2.1). */
export const Setting = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  enableConnectProtocol: 0x8,
  noRfc7540Priorities: 0x9,
} as const;

/** What the peer set, with the values that hold before it says anything. */
export class PeerSettings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindow: number;
  maxFrameSize: number;
  extendedConnect: boolean;

  constructor() {
    this.headerTableSize = 4096;
    this.maxConcurrentStreams = MAX_STREAM_ID;
    this.initialWindow = INITIAL_WINDOW;
    this.maxFrameSize = MIN_FRAME_SIZE;
    this.extendedConnect = false;
  }

  /**
   * Takes over one setting; null, or a fault of the connection. Unknown ones are ignored (§6.5.2).
   */
  apply(id: number, value: number, fromServer: boolean): H2Fault | null {
    switch (id) {
      case Setting.headerTableSize:
        this.headerTableSize = value;
        return null;
      case Setting.enablePush:
        // Only a client may turn it on, and we never push.
        return value === 0 || (value === 1 && !fromServer) ? null : Faults.settingValue;
      case Setting.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return null;
      case Setting.initialWindowSize:
        if (value > MAX_WINDOW) return Faults.windowSetting;
        this.initialWindow = value;
        return null;
      case Setting.maxFrameSize:
        if (value < MIN_FRAME_SIZE || value > MAX_FRAME_SIZE) return Faults.settingValue;
        this.maxFrameSize = value;
        return null;
      case Setting.enableConnectProtocol:
        // RFC 8441 §3: never taken back.
        if (value > 1 || (value === 0 && this.extendedConnect)) return Faults.settingValue;
        this.extendedConnect = value === 1;
        return null;
      case Setting.noRfc7540Priorities:
        return value > 1 ? Faults.settingValue : null;
      default:
        return null;
    }
  }
}

/**
 * What we set. The peer goes by it once it has acknowledged it (§6.5.3), so what it may send is
 * counted by `initialWindow` from then on; several changes can be on their way.
 */
export class OwnSettings {
  /** What the peer has acknowledged. */
  initialWindow: number;
  /** Windows sent and not yet acknowledged, oldest first. */
  readonly #inFlight: number[];
  #sentAt: number;
  readonly #timeout: number;

  constructor(limits: H2Limits) {
    this.initialWindow = INITIAL_WINDOW;
    this.#inFlight = [];
    this.#sentAt = 0;
    this.#timeout = limits.settingsTimeout;
  }

  sent(window: number, now: Instant): void {
    if (this.#inFlight.length === 0) this.#sentAt = now;
    this.#inFlight.push(window);
  }

  /** By how much the windows of streams change; NaN when nothing was to be acknowledged. */
  acknowledged(now: Instant): number {
    const window = this.#inFlight.shift();
    if (window === undefined) return Number.NaN;
    this.#sentAt = now;
    const change = window - this.initialWindow;
    this.initialWindow = window;
    return change;
  }

  /** When the acknowledgment is overdue. */
  get deadline(): number {
    return this.#inFlight.length === 0 ? Number.POSITIVE_INFINITY : this.#sentAt + this.#timeout;
  }
}
