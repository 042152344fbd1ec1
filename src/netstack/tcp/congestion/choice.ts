import type { Rng } from "../../../core/random.ts";
import { Bbr } from "./bbr.ts";
import type { CongestionControl, CongestionName } from "./congestion-control.ts";
import { Cubic } from "./cubic.ts";
import { NewReno } from "./newreno.ts";

/** A fresh controller at its initial window; `mss` in bytes of payload. The RNG is BBR's alone. */
export function chooseCongestionControl(
  name: CongestionName,
  mss: number,
  rng: Rng,
): CongestionControl {
  switch (name) {
    case "newreno":
      return new NewReno(mss);
    case "cubic":
      return new Cubic(mss);
    case "bbr":
      return new Bbr(mss, rng);
    default:
      return name satisfies never;
  }
}
