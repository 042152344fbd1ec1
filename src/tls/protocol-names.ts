import { NetError } from "../core/errors.ts";

/** RFC 7301 §3.1: each name with its length before it. Throws EINVAL. */
export function protocolList(names: readonly string[]): Uint8Array {
  const list = names.flatMap((name) => {
    if (name.length < 1 || name.length > 255 || /[^\x00-\xff]/.test(name)) {
      throw new NetError("EINVAL", `not an ALPN protocol: ${JSON.stringify(name)}`, {
        source: "internal",
      });
    }
    return [name.length, ...[...name].map((letter) => letter.charCodeAt(0))];
  });
  return Uint8Array.from(list);
}

/** The first of ours that the client offers, null where it offers none of them. */
export function chooseProtocol(ours: readonly string[], offered: readonly string[]): string | null {
  for (const name of ours) if (offered.includes(name)) return name;
  return null;
}
