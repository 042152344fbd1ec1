import type { Mac } from "../wire/mac.ts";
import type { Packet } from "./packet.ts";

/** What the stack may leave to the device when it sends. */
export interface DeviceOffload {
  /** Takes `partial` checksums of TCP and UDP. */
  readonly checksum: boolean;
  /** Takes TCP segments longer than the MTU and cuts them up (TSO). */
  readonly tcpV4: boolean;
  readonly tcpV6: boolean;
  /** Likewise UDP datagrams (USO). */
  readonly udp: boolean;
}

export const NO_OFFLOAD: DeviceOffload = Object.freeze({
  checksum: false,
  tcpV4: false,
  tcpV6: false,
  udp: false,
});

/**
 * A network card as the stack sees it: a TAP or TUN device, one end of a simulated link, loopback.
 * It never calls back from `transmit`.
 */
export interface Device {
  /** `ethernet`: frames begin with an Ethernet header; `ip`: with the IP header (TUN, loopback). */
  readonly medium: "ethernet" | "ip" | "loopback";
  /** Of an Ethernet device; else 0. */
  readonly mac: Mac;
  /** The longest IP packet, in bytes: 68 to 65,535. */
  readonly mtu: number;
  readonly offload: DeviceOffload;
  /** Gives the device its stack's side; called once, before any other call. */
  attach(port: DevicePort): void;
  /**
   * Sends packet[start, end) or copies it before returning. False when there is no room: nothing was
   * taken, and `port.ready()` follows once there is.
   */
  transmit(packet: Packet): boolean;
  close(): void;
}

/** The stack's side of a device: an `Interface`. After a batch of calls the driver calls `stack.run()`. */
export interface DevicePort {
  /** A frame arrived; the stack may change its bytes, and keeps none after it returns. */
  receive(packet: Packet): void;
  /** There is room again, after `transmit` said false. */
  ready(): void;
  /** The carrier came or went. */
  linkChanged(up: boolean): void;
  mtuChanged(mtu: number): void;
}
