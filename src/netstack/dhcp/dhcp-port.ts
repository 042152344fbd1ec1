import type { UdpLayer } from "../udp/udp-layer.ts";

/** What a DHCP client needs of UDP. */
export type DhcpPort = Pick<UdpLayer, "bindSystemPort" | "sendOn" | "ip">;
