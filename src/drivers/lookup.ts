import { lookup } from "node:dns/promises";
import { type IpAddress, parseIp } from "../core/address.ts";
import { NetError } from "../core/errors.ts";

/** The addresses of a name as the system knows them, in its order. Rejects with ENOTFOUND. */
export async function lookUp(name: string): Promise<readonly IpAddress[]> {
  try {
    const found = await lookup(name, { all: true, order: "verbatim" });
    return found.flatMap(({ address }) => parseIp(address) ?? []);
  } catch (cause) {
    const again = (cause as NodeJS.ErrnoException).code === "EAI_AGAIN";
    const retry = again ? "always" : "never";
    throw new NetError("ENOTFOUND", `the name ${name} was not found`, {
      source: "upstream",
      retry,
      cause,
    });
  }
}
