import type { AddressInfo } from "./host-address.ts";
import type { LookupFunction } from "./lookup.ts";
import { readPort, usageError } from "./socket-error.ts";

export type DatagramType = "udp4" | "udp6";

/** What `dgram.createSocket` takes; buffer sizes are remembered and told, no more. */
export interface DatagramOptions {
  readonly type: DatagramType;
  /** Several sockets share address and port; each gets what is sent to a group. */
  readonly reuseAddr?: boolean | undefined;
  /** Several sockets share address and port; flows are spread over them. */
  readonly reusePort?: boolean | undefined;
  /** `udp6`: no IPv4. */
  readonly ipv6Only?: boolean | undefined;
  readonly recvBufferSize?: number | undefined;
  readonly sendBufferSize?: number | undefined;
  readonly lookup?: LookupFunction | undefined;
  /** Closes the socket. */
  readonly signal?: AbortSignal | undefined;
}

export type SendCallback = (error: Error | null, bytes?: number) => void;

type Callbacks = [callback?: SendCallback];
/** What may follow the message. */
export type SendArguments =
  | Callbacks
  | [port: number, ...Callbacks]
  | [port: number, address: string | undefined, ...Callbacks]
  | [offset: number, length: number, ...Callbacks]
  | [offset: number, length: number, port: number, ...Callbacks]
  | [offset: number, length: number, port: number, address: string | undefined, ...Callbacks];

/** Whence a datagram came. */
export interface RemoteInfo extends AddressInfo {
  /** Bytes of the message. */
  readonly size: number;
}

export type DatagramPart = string | NodeJS.ArrayBufferView;

/** One `send`, its arguments sorted out. */
export interface SendRequest {
  readonly bytes: Uint8Array;
  /** 0 where connected. */
  readonly port: number;
  readonly address: string | null;
  readonly callback: SendCallback | null;
}

/**
 * The forms of `send`: `(msg, [offset, length,] [port, [address,]] [callback])`, without port and address
 * where the socket is connected.
 */
export function readSendArguments(
  message: unknown,
  args: readonly unknown[],
  connected: boolean,
): SendRequest {
  const last = args.findLastIndex((arg) => typeof arg === "function");
  const callback = last < 0 ? null : (args[last] as SendCallback);
  const plain = last < 0 ? args : args.slice(0, last);
  // A third argument is an address where it is no number; then the first is a port.
  const sliced = connected
    ? typeof plain[1] === "number"
    : typeof plain[1] === "number" && plain[2] !== undefined;
  const bytes = sliced
    ? slice(message, Number(plain[0]), Number(plain[1]))
    : bytesOfMessage(message);
  const [port, address] = sliced ? plain.slice(2) : plain;
  if (connected) {
    if (port || address) throw alreadyConnected();
    return { bytes, port: 0, address: null, callback };
  }
  if (address !== undefined && address !== null && typeof address !== "string") {
    const text = 'The "address" argument must be of type string';
    throw usageError("ERR_INVALID_ARG_TYPE", text, TypeError);
  }
  return { bytes, port: readPort(port, "Port", 1), address: address || null, callback };
}

/** `bind([port], [address], [callback])` and `bind(options, [callback])`. */
export function readBindArguments(args: readonly unknown[]): {
  readonly port: number;
  readonly address: string | null;
  readonly callback: (() => void) | null;
} {
  const last = args.at(-1);
  const callback = typeof last === "function" ? (last as () => void) : null;
  const plain = callback === null ? args : args.slice(0, -1);
  const [first, second] = plain;
  const given =
    typeof first === "object" && first !== null
      ? (first as { port?: unknown; address?: unknown })
      : { port: first, address: second };
  const { port, address } = given;
  return {
    port: port === undefined || port === null ? 0 : readPort(port),
    address: typeof address === "string" && address !== "" ? address : null,
    callback,
  };
}

export const alreadyConnected = (): Error =>
  usageError("ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected");

function bytesOfMessage(message: unknown): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message.map(bytesOfPart));
  return bytesOfPart(message);
}

function bytesOfPart(part: unknown): Uint8Array {
  if (typeof part === "string") return Buffer.from(part);
  if (ArrayBuffer.isView(part)) return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
  const text = "A message must be a string, a buffer, or a list of them";
  throw usageError("ERR_INVALID_ARG_TYPE", text, TypeError);
}

function slice(message: unknown, offset: number, length: number): Uint8Array {
  const bytes = bytesOfPart(message);
  if (offset < 0 || length < 0 || offset + length > bytes.length) {
    const text = `"offset" and "length" are outside of a message of ${bytes.length} bytes`;
    throw usageError("ERR_BUFFER_OUT_OF_BOUNDS", text, RangeError);
  }
  return bytes.subarray(offset, offset + length);
}
