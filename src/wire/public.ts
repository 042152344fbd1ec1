/** The entry `millrace/wire`: views and reprs of packets, from Ethernet to DNS. */
export {
  ArpOperation,
  type ArpRepr,
  ArpView,
  arpLength,
  emitArp,
  parseArp,
} from "./arp.ts";
export {
  addSums,
  adjustChecksum,
  adjustChecksum32,
  checksum16,
  checksumOf,
  pseudoSumV4,
  pseudoSumV6,
  pseudoSumWords,
  sum16,
  swapSum,
  verifies,
} from "./checksum.ts";
export {
  DHCP4_CLIENT_PORT,
  DHCP4_SERVER_PORT,
  Dhcp4MessageType,
  Dhcp4Operation,
  type Dhcp4Repr,
  Dhcp4View,
  dhcp4Length,
  emitDhcp4,
  parseDhcp4,
} from "./dhcp4.ts";
export {
  type ClasslessRoute,
  Dhcp4Option,
  type Dhcp4Options,
  NO_DHCP4_OPTIONS,
} from "./dhcp4-options.ts";
export {
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  Dhcp6MessageType,
  type Dhcp6Repr,
  Dhcp6View,
  dhcp6Length,
  emitDhcp6,
  parseDhcp6,
} from "./dhcp6.ts";
export { Dhcp6Option, type Dhcp6Options, Dhcp6Status, NO_DHCP6_OPTIONS } from "./dhcp6-options.ts";
export {
  type DnsQuestion,
  type DnsRecord,
  type DnsRepr,
  dnsLength,
  emitDns,
  parseDns,
} from "./dns.ts";
export {
  DnsClass,
  type DnsData,
  DnsType,
  type SoaData,
  type SrvData,
  type SvcbData,
} from "./dns-data.ts";
export type { Edns, EdnsOption } from "./dns-edns.ts";
export { DNS_ROOT, type DnsName, dnsName, labelsOf, sameName } from "./dns-name.ts";
export { NO_SVCB_PARAMS, SvcbKey, type SvcbParams } from "./dns-svcb.ts";
export { DNS_SECTIONS, DnsCursor, DnsFlag, type DnsSection, DnsView } from "./dns-view.ts";
export {
  type EthernetRepr,
  EthernetView,
  EtherType,
  emitEthernet,
  ethernetLength,
  parseEthernet,
} from "./ethernet.ts";
export {
  emitIcmpv4,
  type Icmpv4Repr,
  Icmpv4Type,
  Icmpv4View,
  icmpv4Length,
  parseIcmpv4,
  UnreachableV4,
} from "./icmpv4.ts";
export {
  emitIcmpv6,
  type Icmpv6Repr,
  Icmpv6Type,
  Icmpv6View,
  icmpv6Length,
  parseIcmpv6,
  UnreachableV6,
} from "./icmpv6.ts";
export {
  emitIgmp,
  GroupRecordType,
  type IgmpGroupRecord,
  type IgmpRepr,
  IgmpType,
  IgmpView,
  igmpLength,
  parseIgmp,
} from "./igmp.ts";
export { IpProtocol } from "./ip-protocol.ts";
export { emitIpv4, type Ipv4Repr, Ipv4View, ipv4Length, parseIpv4 } from "./ipv4.ts";
export { type Ipv4Option, Ipv4Options, Ipv4OptionType } from "./ipv4-options.ts";
export { emitIpv6, type Ipv6Repr, Ipv6View, ipv6Length, parseIpv6 } from "./ipv6.ts";
export {
  copyIpv6,
  type Ipv6Words,
  ipv6FromText,
  ipv6Text,
  isIpv6At,
  isLinkLocalIpv6,
  isMulticastIpv6,
  isUnspecifiedIpv6,
  readIpv6,
  sameIpv6,
  solicitedNode,
  writeIpv6,
} from "./ipv6-address.ts";
export {
  emitIpv6Fragment,
  type Ipv6FragmentRepr,
  ipv6FragmentLength,
  parseIpv6Fragment,
} from "./ipv6-fragment.ts";
export {
  emitIpv6Options,
  type Ipv6Option,
  Ipv6Options,
  type Ipv6OptionsRepr,
  Ipv6OptionType,
  ipv6OptionsLength,
  parseIpv6Options,
  type UnknownOptionAction,
} from "./ipv6-options.ts";
export { Ipv6Walker } from "./ipv6-walker.ts";
export {
  BROADCAST_MAC,
  isGroupMac,
  type Mac,
  macText,
  multicastMacV4,
  multicastMacV6,
  parseMac,
  readMac,
  writeMac,
} from "./mac.ts";
export {
  emitMld,
  type MldGroupRecord,
  type MldRepr,
  MldView,
  mldLength,
  parseMld,
} from "./mld.ts";
export { decodeTime8, decodeTime16, encodeTime8, encodeTime16 } from "./multicast-time.ts";
export { emitNdp, type NdpRepr, NdpView, ndpLength, parseNdp } from "./ndp.ts";
export { type NdpOption, NdpOptions, NdpOptionType } from "./ndp-options.ts";
export {
  LinkType,
  MICROSECOND_DIGITS,
  PacketDirection,
  type PcapngInterface,
  type PcapngSink,
  PcapngWriter,
} from "./pcapng.ts";
export {
  type PcapngFile,
  type PcapngPacket,
  type PcapngSection,
  readPcapng,
} from "./pcapng-reader.ts";
export {
  type Seq,
  seq,
  seqAcceptable,
  seqAdd,
  seqBetween,
  seqDiff,
  seqGe,
  seqGt,
  seqInWindow,
  seqLe,
  seqLt,
  seqMax,
  seqMin,
} from "./seq.ts";
export type { WireStatus } from "./status.ts";
export {
  emitTcp,
  fillTcpChecksum,
  parseTcp,
  TcpFlag,
  type TcpRepr,
  TcpView,
  tcpLength,
} from "./tcp.ts";
export {
  NO_TCP_OPTIONS,
  type SackBlock,
  TcpOption,
  TcpOptionIndex,
  type TcpOptions,
  type TcpUserTimeout,
} from "./tcp-options.ts";
export { emitUdp, fillUdpChecksum, parseUdp, type UdpRepr, UdpView, udpLength } from "./udp.ts";
export {
  emitVirtioNet,
  GsoType,
  parseVirtioNet,
  VirtioNetFlag,
  type VirtioNetRepr,
  VirtioNetView,
  virtioNetLength,
} from "./virtio-net.ts";
export {
  emitVlan,
  isVlanType,
  parseVlan,
  type VlanRepr,
  type VlanTag,
  VlanView,
  vlanLength,
} from "./vlan.ts";
