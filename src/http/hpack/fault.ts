/**
 * What decoding returns in place of a position or count. Each of them is a connection error of type
 * COMPRESSION_ERROR (RFC 9113 §4.3): the two tables no longer agree.
 */
export const HpackFault = {
  /** The block ends within a field. */
  truncated: -1,
  /** An integer takes more than five octets, or passes 2^28 (RFC 7541 §5.1). */
  integer: -2,
  /** Index 0, or one beyond both tables (§2.3.3). */
  index: -3,
  /** EOS within a string, padding of more than 7 bits or not of ones (§5.2). */
  huffman: -4,
  /** A table size above what was allowed, or a third in one block (§4.2, §6.3). */
  tableSize: -5,
  /** A table size update behind a field (§4.2). */
  latePlaced: -6,
} as const;
