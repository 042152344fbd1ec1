import type { NetError } from "../../core/errors.ts";
import { type Duration, millis } from "../../core/time.ts";
import type { ConnectHandler } from "../../core/transport.ts";
import { Ip } from "../ip-address.ts";
import type { Stack } from "../stack.ts";
import type { TcpStream } from "../tcp/tcp-stream.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { type Face, soon } from "./face.ts";
import { type HostAddress, readHost, versionOf } from "./host-address.ts";
import type { LookupAddress } from "./lookup.ts";
import {
  type ErrorPlace,
  nodeCode,
  notFound,
  type SocketError,
  systemError,
  usageError,
} from "./socket-error.ts";

/** Of Node: `net.getDefaultAutoSelectFamilyAttemptTimeout()`. */
const ATTEMPT_TIMEOUT = 500;
/** "A recommended minimum", which Node enforces. */
const LEAST_ATTEMPT_TIMEOUT = 10;

/** Who wants to be connected. */
export interface Connecting {
  /** Called for each address of a name, or with the error of the lookup. */
  lookedUp(error: Error | null, address: string | null, family: number | null, host: string): void;
  attempted(event: AttemptEvent, address: string, port: number, error?: Error): void;
  connected(stream: TcpStream): void;
  failed(error: Error): void;
  fault(error: unknown): void;
}

export type AttemptEvent =
  | "connectionAttempt"
  | "connectionAttemptFailed"
  | "connectionAttemptTimeout";

/** From a host's name to a connection: looks it up and tries its addresses one after the other. */
export class ConnectAttempts implements ConnectHandler {
  readonly #face: Face;
  readonly #options: ConnectOptions;
  readonly #owner: Connecting;
  readonly #port: number;
  readonly #errors: SocketError[] = [];
  #addresses: readonly string[] = [];
  #next = 0;
  #stream: TcpStream | null = null;
  #over = false;

  constructor(face: Face, options: ConnectOptions, owner: Connecting) {
    this.#face = face;
    this.#options = options;
    this.#owner = owner;
    this.#port = Number(options.port);
    const host = options.host || "localhost";
    if (readHost(face.stack, host) !== null) {
      this.#addresses = [host];
      soon(() => this.#tryNext());
    } else this.#lookUp(host);
  }

  /** Nothing is told from here on; a connection that was told of is left alone. */
  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream?.abort();
  }

  // ConnectHandler: the attempt's.

  onConnect(): void {
    this.#over = true;
    this.#owner.connected(this.#stream!);
  }

  onData(): void {}
  onWritable(): void {}
  onEnd(): void {}

  onClose(error: NetError | null): void {
    if (this.#over) return;
    const address = this.#addresses[this.#next - 1]!;
    const timedOut = error?.code === "CONNECT_TIMEOUT";
    const code = error === null ? "ECONNABORTED" : nodeCode(error.code);
    const failure = systemError(code, "connect", this.#place(address, error));
    const event = timedOut ? "connectionAttemptTimeout" : "connectionAttemptFailed";
    this.#owner.attempted(event, address, this.#port, failure);
    this.#errors.push(failure);
    this.#tryNext();
  }

  #lookUp(host: string): void {
    const { family, hints, localAddress, autoSelectFamily = true } = this.#options;
    const wanted = localAddress === undefined ? family : versionOf(familyText(localAddress));
    const all = autoSelectFamily && versionOf(wanted) === 0;
    const options = { family: versionOf(wanted), ...(hints === undefined ? {} : { hints }), all };
    const lookup = this.#options.lookup ?? this.#face.lookup;
    lookup(host, options, (error, address, found) => {
      if (this.#over) return;
      try {
        this.#lookedUp(host, error, address, found);
      } catch (fault) {
        this.#owner.fault(fault);
      }
    });
  }

  #lookedUp(
    host: string,
    error: Error | null,
    address: string | readonly LookupAddress[],
    found: number | undefined,
  ): void {
    if (error) {
      this.#owner.lookedUp(error, null, null, host);
      this.#fail(error);
      return;
    }
    const list = typeof address === "string" ? [{ address, family: found ?? 0 }] : (address ?? []);
    for (const one of list) this.#owner.lookedUp(null, one.address, one.family, host);
    if (list.length === 0) {
      this.#fail(notFound(host));
      return;
    }
    this.#addresses = alternate(list.map((one) => one.address));
    this.#tryNext();
  }

  #tryNext(): void {
    if (this.#over) return;
    const address = this.#addresses[this.#next++];
    if (address === undefined) {
      this.#fail(together(this.#errors));
      return;
    }
    const remote = readHost(this.#face.stack, address);
    if (remote === null) {
      const text = `The lookup gave an address that is none: ${address}`;
      this.#fail(usageError("ERR_INVALID_IP_ADDRESS", text, TypeError));
      return;
    }
    this.#owner.attempted("connectionAttempt", address, this.#port);
    if (this.#over) return;
    const stream = this.#connect(remote);
    stream.keeper = { forget() {}, fault: (error) => this.#owner.fault(error) };
    this.#stream = stream;
  }

  #connect({ ip, interface: on }: HostAddress): TcpStream {
    const { localAddress, localPort } = this.#options;
    const local = localAddress === undefined ? null : localIp(this.#face.stack, localAddress);
    const timeout = this.#next < this.#addresses.length ? this.#attemptTimeout : null;
    return this.#face.stack.tcp.connect(
      {
        ip,
        port: this.#port,
        ...(on === null ? {} : { interface: on }),
        ...(local === null ? {} : { localIp: local }),
        ...(localPort === undefined ? {} : { localPort }),
        ...(timeout === null ? {} : { timeout }),
      },
      this,
    );
  }

  get #attemptTimeout(): Duration {
    const asked = this.#options.autoSelectFamilyAttemptTimeout ?? ATTEMPT_TIMEOUT;
    return millis(Math.max(asked, LEAST_ATTEMPT_TIMEOUT));
  }

  #place(address: string, cause: NetError | null): ErrorPlace {
    const { localAddress, localPort } = this.#options;
    return {
      address,
      port: this.#port,
      cause,
      ...(localAddress === undefined || !localPort
        ? {}
        : { local: `${localAddress}:${localPort}` }),
    };
  }

  #fail(error: Error): void {
    this.#over = true;
    this.#owner.failed(error);
  }
}

/** RFC 8305 §4: the families by turns, beginning with that of the best address. */
function alternate(addresses: readonly string[]): readonly string[] {
  const isV6 = (address: string) => address.includes(":");
  const leading = isV6(addresses[0]!);
  const first = addresses.filter((address) => isV6(address) === leading);
  const second = addresses.filter((address) => isV6(address) !== leading);
  const mixed: string[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (first[i] !== undefined) mixed.push(first[i]!);
    if (second[i] !== undefined) mixed.push(second[i]!);
  }
  return mixed;
}

/** One error for all attempts, as Node has it: with the code of the first. */
function together(errors: readonly SocketError[]): Error {
  const [first] = errors;
  if (errors.length === 1) return first!;
  return Object.assign(new AggregateError(errors), { code: first!.code });
}

const familyText = (address: string): string => (address.includes(":") ? "IPv6" : "IPv4");

function localIp(stack: Stack, text: string): Ip {
  return readHost(stack, text)?.ip ?? Ip.v4(0);
}
