import { NetError } from "../../../src/core/errors.ts";
import { millis, seconds } from "../../../src/core/time.ts";
import type { StreamHandler } from "../../../src/core/transport.ts";
import {
  Ip,
  type PingSocket,
  type Stack,
  type TcpListener,
  type TcpStream,
  type UdpSocket,
} from "../../../src/netstack/public.ts";
import type { Dice } from "./dice.ts";

const MOST = 24;
const TARGETS = [
  "10.0.0.2",
  "10.0.0.200",
  "10.0.0.77",
  "192.0.2.9",
  "255.255.255.255",
  "224.0.0.9",
];
const TARGETS6 = ["2001:db8::2", "2001:db8::77", "2400::1", "ff02::9", "::1", "2001:db8::1:1"];
const GROUPS = ["224.0.0.251", "239.1.2.3", "ff02::fb", "ff05::1:3", "239.9.9.9"];

/** Programs that use the victim's sockets at random. */
export class Applications {
  readonly streams: TcpStream[] = [];
  readonly listeners: TcpListener[] = [];
  readonly sockets: UdpSocket[] = [];
  readonly pings: PingSocket[] = [];
  /** Streams whose handler heard of their end more than once, or of something after it. */
  violations = 0;
  readonly #stack: Stack;
  readonly #dice: Dice;
  readonly #bytes: Uint8Array;

  constructor(stack: Stack, dice: Dice) {
    this.#stack = stack;
    this.#dice = dice;
    this.#bytes = dice.bytes(70_000);
    this.#listen(80);
    this.#open({ local: { port: 5353 } });
    this.#open({ local: { port: 9999 }, broadcast: true });
  }

  act(): void {
    const dice = this.#dice;
    switch (dice.below(14)) {
      case 0:
        return this.#connect();
      case 1:
        return this.#open({ broadcast: dice.chance(0.5), reuseAddress: dice.chance(0.5) });
      case 2:
      case 3:
        return this.#sendDatagram();
      case 4:
        return this.#join();
      case 5:
        return this.#ping();
      case 6:
        if (this.listeners.length < 4) this.#listen(dice.pick([0, 81, 82, 83]));
        return;
      case 7:
        if (this.listeners.length > 1) this.listeners.pop()!.close();
        return;
      case 8:
        if (this.sockets.length > 2)
          this.sockets.splice(dice.between(2, this.sockets.length - 1), 1)[0]!.close();
        return;
      case 9: {
        const socket = dice.pick(this.sockets);
        if (dice.chance(0.5)) socket.pause();
        else socket.resume();
        return;
      }
      default:
        return this.#touchStream();
    }
  }

  /** Everything is closed; what is left belongs to the network. */
  close(): void {
    for (const stream of [...this.streams]) stream.abort();
    for (const listener of this.listeners.splice(0)) listener.close();
    for (const socket of this.sockets.splice(0)) socket.close();
    for (const ping of this.pings.splice(0)) ping.close();
  }

  #target(): Ip {
    return Ip.parse(this.#dice.pick(this.#dice.chance(0.5) ? TARGETS : TARGETS6))!;
  }

  #handler(stream: () => TcpStream): StreamHandler {
    let closed = false;
    const check = (): void => {
      if (closed) this.violations++;
    };
    return {
      onData: (bytes, start, end) => {
        check();
        if (this.#dice.chance(0.5) && end - start < 2000) this.#write(stream(), bytes, start, end);
      },
      onWritable: check,
      onEnd: () => {
        check();
        if (this.#dice.chance(0.7)) stream().end();
      },
      onClose: () => {
        check();
        closed = true;
        const at = this.streams.indexOf(stream());
        if (at >= 0) this.streams.splice(at, 1);
      },
    };
  }

  #write(stream: TcpStream, bytes: Uint8Array, start: number, end: number): void {
    try {
      if (stream.queued < 200_000) stream.write(bytes, start, end);
    } catch (error) {
      if (!(error instanceof Error) || error.message !== "write after end") throw error;
    }
  }

  #listen(port: number): void {
    const acceptor = (stream: TcpStream): StreamHandler => {
      if (this.streams.length >= MOST) stream.abort();
      else this.streams.push(stream);
      return this.#handler(() => stream);
    };
    const options = { ip: Ip.parse("::")!, port, backlog: 8 };
    const listener = attempt(() => this.#stack.tcp.listen(options, acceptor));
    if (listener !== null) this.listeners.push(listener);
  }

  #connect(): void {
    if (this.streams.length >= MOST) return;
    const dice = this.#dice;
    const options = {
      ip: this.#target(),
      port: dice.pick([80, 9, 5001]),
      timeout: seconds(dice.between(1, 300)),
    };
    const box: { stream: TcpStream | null } = { stream: null };
    const handler = { ...this.#handler(() => box.stream!), onConnect() {} };
    const stream = attempt(() => this.#stack.tcp.connect(options, handler));
    if (stream === null) return;
    box.stream = stream;
    this.streams.push(stream);
  }

  #touchStream(): void {
    if (this.streams.length === 0) return;
    const dice = this.#dice;
    const stream = dice.pick(this.streams);
    switch (dice.below(9)) {
      case 0:
        return stream.pause();
      case 1:
        return stream.resume();
      case 2:
        return stream.end();
      case 3:
        return stream.close();
      case 4:
        if (dice.chance(0.3)) stream.abort();
        return;
      case 5:
        stream.cork = dice.chance(0.5);
        stream.noDelay = dice.chance(0.5);
        return;
      case 6:
        stream.keepAlive = {
          idle: seconds(dice.between(1, 100)),
          interval: seconds(dice.between(1, 20)),
          probes: dice.between(1, 9),
        };
        stream.userTimeout = millis(dice.below(100_000));
        return;
      default:
        return this.#write(stream, this.#bytes, 0, dice.below(dice.chance(0.1) ? 70_000 : 3000));
    }
  }

  #open(options: Parameters<Stack["udp"]["open"]>[0]): void {
    if (this.sockets.length >= MOST) return;
    const socket = this.#stack.udp.open(options, { onMessage() {}, onError() {} });
    if (!(socket instanceof NetError)) this.sockets.push(socket);
  }

  #sendDatagram(): void {
    const dice = this.#dice;
    const length = dice.chance(0.1) ? dice.below(66_000) : dice.below(1000);
    const target = { ip: this.#target(), port: dice.pick([9, 53, 5353]) };
    dice.pick(this.sockets).send(this.#bytes, 0, length, target);
  }

  #join(): void {
    const dice = this.#dice;
    const on = dice.pick(this.#stack.interfaces);
    const group = Ip.parse(dice.pick(GROUPS))!;
    const socket = dice.pick(this.sockets);
    if (dice.chance(0.6)) socket.joinGroup(group, on);
    else socket.leaveGroup(group, on);
  }

  #ping(): void {
    const dice = this.#dice;
    if (this.pings.length < 4) {
      const socket = this.#stack.ping.open({}, { onReply() {}, onError() {} });
      if (!(socket instanceof NetError)) this.pings.push(socket);
      return;
    }
    const socket = dice.pick(this.pings);
    socket.send(dice.below(65_536), this.#bytes, 0, dice.below(2000), this.#target());
    if (dice.chance(0.2)) this.pings.splice(this.pings.indexOf(socket), 1)[0]!.close();
  }
}

/** Null where it cannot be done now. */
export function attempt<T>(what: () => T): T | null {
  try {
    return what();
  } catch (error) {
    if (error instanceof NetError || error instanceof RangeError) return null;
    throw error;
  }
}
