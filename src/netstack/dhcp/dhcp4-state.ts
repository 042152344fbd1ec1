import { seconds } from "../../core/time.ts";
import type { Ip } from "../ip-address.ts";
import type { RunningProbe } from "../link/address-conflict.ts";
import type { Dhcp4Lease } from "./dhcp4-lease.ts";

/** Before the first message, so that a building with power again does not ask at once (§4.4.1). */
export const START_DELAY = seconds(1);
/** RFC 2131 §4.1: some half a minute; then from the beginning. */
export const REQUEST_ATTEMPTS = 4;
export const REBOOT_ATTEMPTS = 2;
/** §4.4.5: at half of the time that is left, but not more often. */
export const MIN_RENEW_INTERVAL = seconds(60);
/** §3.1 step 5: after a conflict. */
export const DECLINE_DELAY = seconds(10);
/** After a refusal, so that a server that refuses everything is not asked in a loop. */
export const NAK_DELAY = seconds(2);

/** RFC 2131 §4.4, figure 5; `checking` is the ARP probe after a DHCPACK (§4.4.1). */
export type Dhcp4State =
  | { readonly kind: "stopped" }
  | { readonly kind: "init" }
  | { readonly kind: "init-reboot"; readonly address: Ip }
  | { readonly kind: "selecting" }
  | { readonly kind: "requesting"; readonly address: Ip; readonly server: Ip }
  | { readonly kind: "rebooting"; readonly address: Ip }
  | { readonly kind: "checking"; readonly lease: Dhcp4Lease; readonly probe: RunningProbe | null }
  | { readonly kind: "bound" | "renewing" | "rebinding"; readonly lease: Dhcp4Lease };
