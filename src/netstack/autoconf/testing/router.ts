import { checksumOf, pseudoSumWords, sum16 } from "../../../wire/checksum.ts";
import { emitNdp, type NdpRepr } from "../../../wire/ndp.ts";
import type { NdpOption } from "../../../wire/ndp-options.ts";
import { ROUTER_MAC, type TestHost, words } from "./host.ts";

export interface Advertised {
  readonly from?: string;
  readonly mac?: number;
  readonly lifetime?: number;
  readonly hopLimit?: number;
  readonly other?: boolean;
  /** RFC 4191: the two bits. */
  readonly preference?: number;
  readonly reachableTime?: number;
  readonly retransTimer?: number;
  readonly options?: readonly NdpOption[];
  /** As the packet arrives; 255 where left out. */
  readonly receivedHopLimit?: number;
}

export const ROUTER = "fe80::99";
const ALL_NODES = "ff02::1";

export function advertise(host: TestHost, advertised: Advertised = {}): void {
  const { from = ROUTER, mac = ROUTER_MAC, preference = 0, options = [] } = advertised;
  const repr: NdpRepr = {
    kind: "router-advertisement",
    hopLimit: advertised.hopLimit ?? 0,
    managed: false,
    otherConfiguration: advertised.other ?? false,
    routerLifetime: advertised.lifetime ?? 1800,
    reachableTime: advertised.reachableTime ?? 0,
    retransTimer: advertised.retransTimer ?? 0,
    options: [{ kind: "source-link-layer", mac }, ...options],
  };
  host.receive({
    source: from,
    destination: ALL_NODES,
    protocol: 58,
    hopLimit: advertised.receivedHopLimit ?? 255,
    mac,
    emit(view, start) {
      const end = emitNdp(repr, view, start, words(from), words(ALL_NODES));
      view.setUint8(start + 5, view.getUint8(start + 5) | (preference << 3));
      view.setUint16(start + 2, 0);
      const pseudo = pseudoSumWords(words(from), words(ALL_NODES), 58, end - start);
      view.setUint16(start + 2, checksumOf(sum16(view, start, end, pseudo)));
      return end;
    },
  });
}

export const prefixOption = (
  prefix: string,
  preferredLifetime: number,
  validLifetime: number,
  flags: { onLink?: boolean; autonomous?: boolean; length?: number } = {},
): NdpOption => ({
  kind: "prefix",
  prefix: words(prefix),
  length: flags.length ?? 64,
  onLink: flags.onLink ?? true,
  autonomous: flags.autonomous ?? true,
  validLifetime,
  preferredLifetime,
});

export function sendNdp(
  host: TestHost,
  repr: NdpRepr,
  from: string,
  to: string,
  hopLimit = 255,
): void {
  host.receive({
    source: from,
    destination: to,
    protocol: 58,
    hopLimit,
    emit: (view, start) => emitNdp(repr, view, start, words(from), words(to)),
  });
}
