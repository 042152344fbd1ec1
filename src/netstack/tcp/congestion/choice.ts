import type { Rng } from "../../../core/random.ts";
import type { CongestionControl, CongestionName } from "./congestion-control.ts";
import { NewReno } from "./newreno.ts";

/** A fresh controller at its initial window; `mss` in bytes of payload. */
export function chooseCongestionControl(
  name: CongestionName,
  mss: number,
  _rng: Rng,
): CongestionControl {
  switch (name) {
    default:
      return new NewReno(mss);
  }
}
