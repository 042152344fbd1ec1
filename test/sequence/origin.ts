import type { Stream, StreamHandler, Transport } from "../../src/core/transport.ts";
import type { Draw } from "./draw.ts";
import { OriginConnection } from "./origin-connection.ts";
import type { RequestPlan } from "./scenario.ts";

/** One coming of a request to an origin: its head was received whole. */
export interface Arrival {
  readonly request: RequestPlan;
  /** 0 for the first coming of this request to any origin. */
  readonly number: number;
  readonly pieces: Uint8Array[];
  /** The whole request came. */
  complete: boolean;
  trailer: string | null;
  /** Bytes of its answer that a death left unsent; the answer was cut by a clean end. */
  cut: boolean;
}

/** What all origins of a run saw. */
export class OriginLog {
  readonly arrivals = new Map<string, Arrival[]>();
  readonly violations: string[] = [];
  private readonly requests: ReadonlyMap<string, RequestPlan>;

  constructor(requests: ReadonlyMap<string, RequestPlan>) {
    this.requests = requests;
  }

  /** The head of a request for /id has come; null for a request that nobody made. */
  arrived(method: string, id: string): Arrival | null {
    const request = this.requests.get(id);
    if (request === undefined || request.method !== method) {
      this.violations.push(`an origin got "${method} /${id}", which no client sent`);
      return null;
    }
    const before = this.arrivals.get(id) ?? [];
    const number = before.length;
    const arrival: Arrival = {
      request,
      number,
      pieces: [],
      complete: false,
      trailer: null,
      cut: false,
    };
    this.arrivals.set(id, [...before, arrival]);
    return arrival;
  }

  of(id: string): readonly Arrival[] {
    return this.arrivals.get(id) ?? [];
  }
}

/** A machine that serves what the plans of the requests say. */
export class Origin {
  readonly log: OriginLog;
  readonly transport: Transport;
  readonly draw: Draw;

  constructor(log: OriginLog, transport: Transport, draw: Draw) {
    this.log = log;
    this.transport = transport;
    this.draw = draw;
  }

  accept(stream: Stream): StreamHandler {
    return new OriginConnection(this, stream);
  }
}
