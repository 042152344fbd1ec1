import type { RequestPlan } from "./scenario.ts";

/** What a client got for one request. */
export class Outcome {
  readonly request: RequestPlan;
  /** Any of it was written. */
  sent = false;
  /** All of it was written. */
  sentWhole = false;
  /** Of the final response; 0 before its head. */
  status = 0;
  /** Which arrival at an origin this answers, as "id/arrival"; null for the proxy's own answers. */
  answers: string | null = null;
  /** "local" where a hook answered. */
  local = false;
  declaredLength = -1;
  interim = 0;
  /** The final response came to its end. */
  complete = false;
  /** It ended by the connection's end. */
  untilClose = false;
  trailer: string | null = null;
  /** What came in the tunnel. */
  tunnel = false;
  tunnelEnded = false;
  /** Its connection was given up by the client itself. */
  left = false;
  /** The parser refused what came. */
  nonsense: string | null = null;
  private readonly pieces: Uint8Array[] = [];

  constructor(request: RequestPlan) {
    this.request = request;
  }

  keep(buf: Uint8Array, start: number, end: number): void {
    this.pieces.push(Uint8Array.prototype.slice.call(buf, start, end));
  }

  get content(): Uint8Array {
    return Buffer.concat(this.pieces);
  }

  /** Nothing more comes of it. */
  over = false;
}
