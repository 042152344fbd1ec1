import type { Duration, Instant } from "../../core/time.ts";
import type { Seq } from "../../wire/seq.ts";
import type { TcpView } from "../../wire/tcp.ts";
import type { IcmpError } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { CookieState, TcpEndpoints, TcpHost } from "./host.ts";
import type { TcpInfo } from "./info.ts";
import type { OutgoingSegment } from "./outgoing-segment.ts";
import type { TcpOwner } from "./owner.ts";
import type { TcpSettings } from "./settings.ts";
import { SYN_SENT, type TcpState } from "./state.ts";

/** One TCP connection (RFC 9293) without I/O: segments and timeouts go in, segments come out. */
export class TcpConnection {
  readonly host: TcpHost;
  readonly local: Ip;
  readonly localPort: number;
  readonly remote: Ip;
  readonly remotePort: number;
  readonly settings: TcpSettings;
  state: TcpState = SYN_SENT;
  owner: TcpOwner | null = null;

  private constructor(host: TcpHost, endpoints: TcpEndpoints, settings: TcpSettings) {
    this.host = host;
    this.local = endpoints.local;
    this.localPort = endpoints.localPort;
    this.remote = endpoints.remote;
    this.remotePort = endpoints.remotePort;
    this.settings = settings;
  }

  /**
   * SYN_SENT; the SYN leaves at the next poll. `mss`: what the MTU leaves beside IP and TCP headers, for
   * options and payload; `tsOffset`: added to our timestamps (RFC 7323 §5.4).
   */
  static connect(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    _mss: number,
    _iss: Seq,
    _tsOffset: number,
    owner: TcpOwner,
  ): TcpConnection {
    const connection = new TcpConnection(host, endpoints, settings);
    connection.owner = owner;
    return connection;
  }

  /** SYN_RECEIVED, in answer to an acceptable SYN; set `owner` before it is established. */
  static accept(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    _mss: number,
    _iss: Seq,
    _tsOffset: number,
    _syn: TcpView,
  ): TcpConnection {
    return new TcpConnection(host, endpoints, settings);
  }

  /**
   * ESTABLISHED, from an ACK with a valid SYN cookie; set `owner`, then hand that ACK to `handleSegment`,
   * which calls `onEstablished` and takes its data.
   */
  static fromCookie(
    host: TcpHost,
    endpoints: TcpEndpoints,
    settings: TcpSettings,
    _mss: number,
    _tsOffset: number,
    _cookie: CookieState,
  ): TcpConnection {
    return new TcpConnection(host, endpoints, settings);
  }

  /**
   * A segment for this connection, checksum verified. `bytes` is the memory that the view's offsets
   * are about; `ecn` the codepoint of the IP header. The owner may be called.
   */
  handleSegment(_now: Instant, _view: TcpView, _bytes: Uint8Array, _ecn: number): void {}

  /**
   * Composes the next segment behind `out.start`, checksum field 0, and sets `out.end`, and for a long
   * one `out.gsoType` and `out.gsoSize`; false when there is nothing to send now. Nothing has changed
   * until `committed`: so call that when IP took the segment (or dropped it for good), and neither
   * it nor any other method in between.
   */
  pollTransmit(_now: Instant, _out: Packet, _segment: OutgoingSegment): boolean {
    return false;
  }

  committed(_now: Instant, _segment: OutgoingSegment): void {}

  /** Called by its own timer; public for tests. */
  onTimer(_now: Instant): void {}

  /** The path's MTU changed: bytes for options and payload in one packet (RFC 1191, 8201). */
  setMss(_mss: number): void {}

  /**
   * RFC 5927: whether the error quotes something that is in flight. A hard one ends an attempt to
   * connect; otherwise it is remembered as the cause of a later timeout. `quoted`: its sequence number.
   */
  handleIcmp(_now: Instant, _error: IcmpError, _quoted: Seq): boolean {
    return false;
  }

  /** RFC 6191: in TIME_WAIT, whether this SYN may open the next incarnation. */
  canReuse(_syn: TcpView): boolean {
    return false;
  }

  /** Written and not yet acknowledged. */
  get queued(): number {
    return 0;
  }

  /** Copies bytes[start, end) and queues them; nothing after `end`, `close` or `abort`. */
  write(_bytes: Uint8Array, _start: number, _end: number): void {}

  /** FIN after what is queued; reading goes on. */
  end(): void {}

  /**
   * The owner is through: it hears of nothing more but `onClosed`. What is queued is still sent, unless
   * received bytes were left unread (RFC 2525 §2.17) or `linger` is 0: then a RST goes out.
   */
  close(): void {}

  /** RST, and `onClosed(null)`. */
  abort(): void {}

  /** No `onData` and no `onEnd` until `resume`; the window closes as the buffer fills. */
  pause(): void {}
  resume(): void {}

  set noDelay(_on: boolean) {}
  /** Hold partial segments back (TCP_CORK), 200 ms at most. */
  set cork(_on: boolean) {}
  set keepAlive(_setting: TcpSettings["keepAlive"]) {}
  /** How long data may stay unacknowledged; RFC 5482 tells the peer. */
  set userTimeout(_timeout: Duration) {}
  /** After `close`: null sends what is queued in its own time, 0 resets, else it resets after that. */
  set linger(_linger: Duration | null) {}

  info(): TcpInfo {
    throw new Error("not connected");
  }
}
