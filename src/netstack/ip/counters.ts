/** The counts of one IP version since the stack was made, after RFC 4293's ipSystemStatsTable. */
export class IpCounters {
  inReceives = 0;
  inBytes = 0;
  /** Malformed, wrong version or checksum. */
  inHeaderErrors = 0;
  /** From or to an address that may not be there: martians. */
  inAddressErrors = 0;
  /** Not for us, and we do not forward. */
  inNotForUs = 0;
  inNoRoutes = 0;
  inUnknownProtocols = 0;
  /** Good, but dropped for want of room or by a filter. */
  inDiscards = 0;
  inDelivers = 0;
  inMulticast = 0;
  inBroadcast = 0;
  forwarded = 0;
  reassemblyRequired = 0;
  reassembled = 0;
  reassemblyFailures = 0;
  outRequests = 0;
  outBytes = 0;
  outNoRoutes = 0;
  /** The device had no room. */
  outDiscards = 0;
  fragmentedPackets = 0;
  fragmentationFailures = 0;
  fragmentsCreated = 0;
}

/** Of ICMP of one version, after RFC 4293's icmpStatsTable. */
export class IcmpCounters {
  inMessages = 0;
  /** Short, or with a bad checksum. */
  inErrors = 0;
  outMessages = 0;
  /** What the rate limit, or a rule about what errors may answer, kept from being sent. */
  outSuppressed = 0;
  /** Errors by which no packet of ours can be meant. */
  inUnverified = 0;
}
