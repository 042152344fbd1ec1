import type { MetricFamily } from "../../telemetry/exposition.ts";
import { gauge, plain } from "../../telemetry/metrics.ts";
import type { CertificateInUse } from "./tls-files.ts";

/** How long certificates will do. `now` in milliseconds. */
export const certificateFamilies = (
  certificates: readonly CertificateInUse[],
  now: number,
): readonly MetricFamily[] =>
  certificates.length === 0
    ? []
    : [
        gauge(
          "millrace_tls_certificate_expires_seconds",
          "Seconds until a certificate in use expires; below zero when it has.",
          certificates.map(({ listener, file, validTo }) =>
            plain({ listener, file }, Math.round((validTo - now) / 1000)),
          ),
        ),
      ];
