import type { InterfaceSettings } from "../../interface.ts";
import type { StackLimits } from "../../limits.ts";
import { UdpLayer } from "../../udp/udp-layer.ts";
import { Autoconfiguration } from "../autoconfiguration.ts";
import type { InterfaceAutoconfiguration } from "../interface-autoconfiguration.ts";
import { NameServerList } from "../name-servers.ts";
import { TestHost } from "./host.ts";

/** A host whose interface configures itself. It is up, and its link-local address checked. */
export class ConfiguredHost extends TestHost {
  readonly udp: UdpLayer;
  readonly nameServers: NameServerList;
  readonly autoconfiguration: Autoconfiguration;
  readonly autoconf: InterfaceAutoconfiguration;

  constructor(
    settings: Partial<InterfaceSettings> = {},
    limits: Partial<StackLimits> = {},
    seed = 1,
  ) {
    super(settings, limits, seed);
    this.nameServers = new NameServerList(this.context);
    this.udp = new UdpLayer(this.context, this.ip);
    this.ip.register(this.udp);
    const { routes } = this.ip;
    this.autoconfiguration = new Autoconfiguration(
      this.context,
      this.ip,
      routes,
      this.udp,
      this.nameServers,
    );
    this.autoconfiguration.attach(this.iface);
    this.autoconf = this.autoconfiguration.of(this.iface)!;
    this.iface.setUp(true);
  }

  /** Long enough for duplicate address detection. */
  settle(): void {
    this.pass(3);
  }
}
