import type { ServerCertificate } from "../../tls/server-config.ts";

/** What changes of TLS while workers run. Plain data: it crosses to worker threads. */
export type TlsNews =
  /** A listener, by its place in the configuration, shows these from now on. */
  | {
      readonly kind: "certificates";
      readonly listener: number;
      readonly certificates: readonly ServerCertificate[];
    }
  /** All listeners: newest first. */
  | { readonly kind: "ticket-keys"; readonly keys: readonly Uint8Array[] };
