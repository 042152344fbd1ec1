/** Those of IANA's "Protocol Numbers" that this stack tells apart; any other stays a number. */
export const IpProtocol = {
  hopByHop: 0,
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  routing: 43,
  fragment: 44,
  esp: 50,
  authentication: 51,
  icmpv6: 58,
  noNext: 59,
  destinationOptions: 60,
} as const;
