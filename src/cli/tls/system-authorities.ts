import { getCACertificates } from "node:tls";

/** The authorities that the system trusts, and those of NODE_EXTRA_CA_CERTS; read when first asked for. */
export class SystemAuthorities {
  #pem: readonly string[] | null = null;

  get pem(): readonly string[] {
    this.#pem ??= [
      ...orElse(getCACertificates("system"), () => getCACertificates("bundled")),
      ...getCACertificates("extra"),
    ];
    return this.#pem;
  }
}

/** A system may have none, as small containers do: then those that come with Node. */
const orElse = (list: readonly string[], other: () => readonly string[]): readonly string[] =>
  list.length > 0 ? list : other();
