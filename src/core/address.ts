/** An IP address in canonical text: dotted quad, or RFC 5952 for IPv6 (no brackets). */
export type IpAddress = string & { readonly __ip: unique symbol };

export type SocketAddress =
  | { readonly kind: "ip"; readonly ip: IpAddress; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };
