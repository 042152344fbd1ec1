import type { CertificateKeeper } from "../../acme/certificate-keeper.ts";
import type { MetricFamily } from "../../telemetry/exposition.ts";
import { counter, gauge, plain } from "../../telemetry/metrics.ts";

/** How orders of this process ended. */
export class OrderCounts {
  issued = 0;
  failed = 0;
}

/** How it stands with certificates that are got by ACME. When they expire is told with all others. */
export function acmeFamilies(
  keepers: readonly CertificateKeeper[],
  { issued, failed }: OrderCounts,
): readonly MetricFamily[] {
  const each = (value: (keeper: CertificateKeeper) => number) =>
    keepers.map((keeper) => plain({ certificate: keeper.names.join(",") }, value(keeper)));
  return [
    counter("millrace_acme_orders_total", "Certificates ordered by ACME, by how that ended.", [
      plain({ result: "issued" }, issued),
      plain({ result: "failed" }, failed),
    ]),
    gauge(
      "millrace_acme_failures_in_a_row",
      "Orders of a certificate that failed since the last that did not.",
      each((keeper) => keeper.failures),
    ),
    gauge(
      "millrace_acme_next_order_timestamp_seconds",
      "When a certificate is ordered next, since the Unix epoch; 0: at once.",
      each((keeper) => Math.round(keeper.dueAt / 1_000)),
    ),
  ];
}
