import type { ConnectHandler } from "../../core/transport.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Delivery, IcmpError, IpLayer, UpperLayer } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { TcpAcceptor, TcpListener } from "./listener.ts";
import { DEFAULT_TCP, type TcpSettings } from "./settings.ts";
import type { TcpStream } from "./tcp-stream.ts";

export interface TcpListenOptions {
  /** Ours, or the unspecified one; `::` takes IPv4, too, unless `ipv6Only`. */
  readonly ip: Ip;
  /** 0: any free one. */
  readonly port: number;
  readonly reusePort?: boolean;
  readonly ipv6Only?: boolean;
  /** Connections that are established and wait to be accepted; 4096 where left out. */
  readonly backlog?: number;
  readonly settings?: Partial<TcpSettings>;
}

export interface TcpConnectOptions {
  readonly ip: Ip;
  readonly port: number;
  readonly localIp?: Ip;
  /** 0 or left out: an ephemeral one. */
  readonly localPort?: number;
  /** For link-local destinations, or to leave by this interface. */
  readonly interface?: Interface;
  readonly settings?: Partial<TcpSettings>;
}

/** TCP of one stack: its connections and listeners, and their way to IP. */
export class TcpLayer implements UpperLayer {
  readonly protocol = 6;
  readonly settings: TcpSettings;
  /** Errors that the handlers of streams and acceptors throw; their stream is aborted. */
  onFault: (error: unknown) => void = () => {};

  constructor(_context: StackContext, _ip: IpLayer, settings: Partial<TcpSettings> = {}) {
    this.settings = { ...DEFAULT_TCP, ...settings };
  }

  /** Throws a NetError: EADDRINUSE, EADDRNOTAVAIL. */
  listen(_options: TcpListenOptions, _acceptor: TcpAcceptor): TcpListener {
    throw new Error("not yet");
  }

  /** Failure arrives as `onClose`, never before this returns. */
  connect(_options: TcpConnectOptions, _handler: ConnectHandler): TcpStream {
    throw new Error("not yet");
  }

  handlePacket(_inbound: Inbound): Delivery {
    return "taken";
  }

  handleIcmpError(_error: IcmpError): boolean {
    return false;
  }

  /** Sends what connections want to send; called by `stack.run()`, after timers have fired. */
  flush(): void {}

  /** Aborts all connections and closes all listeners. */
  close(): void {}
}
