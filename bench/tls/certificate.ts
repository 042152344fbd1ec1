import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findTool } from "../../test/support/tools.ts";
import type { PeerTls } from "../peers/peer.ts";

/** Tickets that each proxy sends with a full handshake: OpenSSL's default, which HAProxy cannot change. */
const tickets = 2;

/** A self-signed certificate with an ECDSA key on P-256, as files in `folder`. */
export function makeCertificate(folder: string): PeerTls {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const both = join(folder, "both.pem");
  const name = ["-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test,IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  const files = ["-keyout", key, "-out", cert];
  execFileSync(findTool("openssl")!, ["req", "-x509", "-days", "2", ...curve, ...name, ...files], {
    stdio: "pipe",
  });
  writeFileSync(both, readFileSync(cert, "utf8") + readFileSync(key, "utf8"), { mode: 0o600 });
  return { cert, key, both, tickets };
}
