/**
 * A stack on a TAP device that does what its parent says over IPC: `stack.ts OPTIONS`, with `StackStart`
 * as JSON. Each `Request` is answered by a `Response` of the same number.
 */

import { EchoService } from "../../../../src/cli/host/echo.ts";
import { HttpService } from "../../../../src/cli/host/http-service.ts";
import { serve } from "../../../../src/cli/host/serve.ts";
import { bytesOf } from "../../../../src/core/bytes.ts";
import { NetError } from "../../../../src/core/errors.ts";
import { SeededRng } from "../../../../src/core/random.ts";
import { seconds } from "../../../../src/core/time.ts";
import type { ConnectHandler, Stream } from "../../../../src/core/transport.ts";
import { TapHost } from "../../../../src/drivers/tap/host.ts";
import type { InterfaceSettings } from "../../../../src/netstack/interface.ts";
import { Ip } from "../../../../src/netstack/ip-address.ts";
import type { StackLimits } from "../../../../src/netstack/limits.ts";
import type { TcpSettings } from "../../../../src/netstack/tcp/settings.ts";
import { type Impairment, spoil } from "./bad-wire.ts";

export interface StackStart {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly offload?: boolean;
  readonly tcp?: Partial<TcpSettings>;
  readonly settings?: Partial<InterfaceSettings>;
  readonly limits?: Partial<StackLimits>;
  readonly impairment?: Impairment;
  readonly dhcp?: boolean;
}

export type Request = { readonly number: number } & (
  | { readonly op: "ping"; readonly to: string; readonly size: number }
  | { readonly op: "send"; readonly to: string; readonly port: number; readonly length: number }
  | { readonly op: "receive"; readonly to: string; readonly port: number }
  | { readonly op: "hold"; readonly to: string; readonly port: number }
  | { readonly op: "facts" }
  | { readonly op: "add" | "remove"; readonly address: string }
);

export interface StackFacts {
  /** `fd07::2/64 preferred static` */
  readonly addresses: readonly string[];
  readonly nameServers: readonly string[];
  readonly domains: readonly string[];
}

export interface Response {
  readonly number: number;
  readonly result: unknown;
}

const start = JSON.parse(process.argv[2]!) as StackStart;
const host = TapHost.open({
  name: start.name,
  addresses: start.addresses,
  offload: start.offload ?? true,
  ...(start.tcp === undefined ? {} : { tcp: start.tcp }),
  ...(start.settings === undefined ? {} : { settings: start.settings }),
  ...(start.limits === undefined ? {} : { limits: start.limits }),
  onFault: (error) => process.stderr.write(`${(error as Error).stack}\n`),
});
if (start.impairment !== undefined) {
  const rng = new SeededRng(7);
  spoil(host, start.impairment, () => rng.u32() / 2 ** 32);
}
const { stack } = host;
if (start.dhcp === true) stack.startDhcp(start.name);
const transport = host.transport();
await serve(new EchoService(), 7, transport, stack.udp);
const page = { html: () => "", json: () => "{}\n" };
await serve(new HttpService(page, transport), 80, transport, stack.udp);

/** Sends `length` bytes, then ends; or reads; `closed` is given the code of what ended it, and a count. */
class Client implements ConnectHandler {
  readonly #stream: Stream;
  readonly #closed: (code: string, received: number) => void;
  #left: number;
  #received = 0;
  #ended = false;

  constructor(
    to: string,
    port: number,
    length: number,
    closed: (code: string, received: number) => void,
  ) {
    this.#closed = closed;
    this.#left = length;
    const ip = Ip.parse(to)!.toString();
    this.#stream = transport.connect({ kind: "ip", ip, port }, { timeout: seconds(10) }, this);
  }

  onConnect(): void {
    this.onWritable();
  }

  onWritable(): void {
    while (this.#left > 0) {
      const length = Math.min(this.#left, PATTERN.length);
      this.#left -= length;
      if (this.#stream.write(PATTERN, 0, length)) return;
    }
    if (this.#left === 0 && !this.#ended) {
      this.#ended = true;
      this.#stream.end();
    }
  }

  onData(_buf: Uint8Array, from: number, end: number): void {
    this.#received += end - from;
  }

  onEnd(): void {
    if (!this.#ended) this.#stream.end();
  }

  onClose(error: { readonly code: string } | null): void {
    this.#closed(error === null ? "closed" : error.code, this.#received);
  }
}

const PATTERN = bytesOf("0123456789abcdef".repeat(4_096));
let nextPing = 0;

process.on("message", (request: Request) => {
  const answer = (result: unknown): void => {
    process.send?.({ number: request.number, result } satisfies Response);
  };
  switch (request.op) {
    case "ping":
      return ping(request.to, request.size, answer);
    case "send":
      new Client(request.to, request.port, request.length, answer);
      return;
    case "receive":
      new Client(request.to, request.port, 0, (code, received) => answer([code, received]));
      return;
    case "hold":
      // A negative length is never sent: it waits.
      new Client(request.to, request.port, -1, answer);
      return;
    case "facts": {
      const { addresses } = stack.configuration;
      return answer({
        addresses: addresses
          .filter((entry) => entry.interface === start.name)
          .map(({ ip, prefixLength, state, origin }) => `${ip}/${prefixLength} ${state} ${origin}`),
        nameServers: stack.nameServers.addresses,
        domains: stack.nameServers.domains,
      } satisfies StackFacts);
    }
    case "add":
      stack.configuration.addAddress(start.name, request.address);
      return answer(null);
    case "remove":
      stack.configuration.removeAddress(start.name, request.address);
      return answer(null);
    default:
      request satisfies never;
  }
});
process.on("disconnect", () => {
  host.close();
  process.exit();
});

/** Answers whether the reply is what was sent, or the error. */
function ping(to: string, size: number, answer: (result: unknown) => void): void {
  const sequence = nextPing++ & 0xffff;
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7 + sequence) & 0xff);
  const done = (result: unknown): void => {
    clearTimeout(timer);
    if (!(socket instanceof NetError)) socket.close();
    answer(result);
  };
  const timer = setTimeout(() => done("no reply"), 5_000);
  const socket = stack.ping.open(
    { remote: Ip.parse(to)! },
    {
      onReply: (replied, { packet }, from, end) => {
        const same = Buffer.compare(packet.bytes.subarray(from, end), bytes) === 0;
        done(replied === sequence && same ? "equal" : "other");
      },
      onError: (_sequence, { kind }) => done(kind),
    },
  );
  if (socket instanceof NetError) throw socket;
  const verdict = socket.send(sequence, bytes, 0, bytes.length);
  if (verdict !== "sent") done(verdict);
}

process.send?.("ready");
