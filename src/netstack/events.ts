import type { IpAddress } from "../core/address.ts";
import type { Mac } from "../wire/mac.ts";
import type { InterfaceSettings } from "./interface.ts";

/** RFC 4862 §2: how far an address may be used. */
export type AddressState = "tentative" | "preferred" | "deprecated" | "duplicated";
export type AddressOrigin = "static" | "link-local" | "stable" | "temporary" | "dhcp";
/** RFC 4861 §7.3.2, with `failed` for one that did not answer and `permanent` for a static one. */
export type NeighborState =
  | "incomplete"
  | "reachable"
  | "stale"
  | "delay"
  | "probe"
  | "failed"
  | "permanent";

/** What changed, after it changed; addresses and prefixes as text. */
export type StackEvent =
  | { readonly kind: "interface-added"; readonly interface: string }
  | { readonly kind: "interface-removed"; readonly interface: string }
  | { readonly kind: "interface-up"; readonly interface: string }
  | { readonly kind: "interface-down"; readonly interface: string }
  | { readonly kind: "mtu-changed"; readonly interface: string; readonly mtu: number }
  | {
      readonly kind: "address-added" | "address-changed";
      readonly interface: string;
      readonly address: string;
      readonly state: AddressState;
      readonly origin: AddressOrigin;
    }
  /** By `configuration.changeSettings`. */
  | {
      readonly kind: "settings-changed";
      readonly interface: string;
      readonly changes: Partial<InterfaceSettings>;
    }
  | { readonly kind: "address-removed"; readonly interface: string; readonly address: string }
  /** Somebody else uses an address of ours (RFC 5227 §2.4, RFC 4862 §5.4). */
  | {
      readonly kind: "address-conflict";
      readonly interface: string;
      readonly address: string;
      readonly mac: Mac;
    }
  | {
      readonly kind: "route-added" | "route-removed";
      readonly destination: string;
      readonly via: IpAddress | null;
      readonly interface: string;
      readonly metric: number;
      readonly table: number;
    }
  | {
      readonly kind: "rule-added" | "rule-removed";
      readonly priority: number;
      readonly table: number;
    }
  | {
      readonly kind: "neighbor-changed";
      readonly interface: string;
      readonly address: IpAddress;
      readonly state: NeighborState;
      readonly mac: Mac | null;
    }
  | { readonly kind: "neighbor-removed"; readonly interface: string; readonly address: IpAddress }
  | {
      readonly kind: "router-added" | "router-removed";
      readonly interface: string;
      readonly address: IpAddress;
    }
  /** Recursive name servers and search domains as learnt by DHCP or RDNSS; the whole list. */
  | {
      readonly kind: "name-servers";
      readonly interface: string;
      readonly servers: readonly IpAddress[];
      readonly domains: readonly string[];
    }
  | {
      readonly kind: "group-joined" | "group-left";
      readonly interface: string;
      readonly group: IpAddress;
    }
  | {
      readonly kind: "dhcp-state";
      readonly interface: string;
      readonly state: string;
      readonly address: IpAddress | null;
    };
