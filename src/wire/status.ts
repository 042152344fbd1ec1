/**
 * What a view says of the bytes that it was put on:
 *
 * - `ok`: the getters may be called; everything that they read lies inside of the range;
 * - `truncated`: the range ends before the packet does (by its fixed header or its own lengths);
 * - `malformed`: a field contradicts another or the format, however many bytes were to follow;
 * - `unsupported`: another version or form of the protocol than this view reads;
 * - `limit`: well-formed so far, but longer or deeper than this view is willing to follow.
 *
 * Nothing but `ok` allows a getter to be called. Checksums are not part of it: who wants one verified
 * asks for it, because a device may have done so already.
 */
export type WireStatus = "ok" | "truncated" | "malformed" | "unsupported" | "limit";
