import { after, type Duration, millis, seconds } from "../../../src/core/time.ts";
import {
  FULL_OFFLOAD,
  type LinkConditions,
  Network,
  type SimulatedHost,
  type SimulatedLink,
} from "../../../src/drivers/simulation/public.ts";
import { Ip } from "../../../src/netstack/public.ts";
import { Conversation, type End } from "./conversation.ts";
import { WindowCheck } from "./window-check.ts";

/** What may happen; `who` names a conversation by its number, `client` one of its ends. */
export type Operation =
  | { readonly kind: "connect"; readonly version: 4 | 6 }
  | {
      readonly kind: "write";
      readonly who: number;
      readonly client: boolean;
      readonly length: number;
    }
  | {
      readonly kind: "pause" | "resume" | "end" | "close" | "abort" | "cork" | "uncork";
      readonly who: number;
      readonly client: boolean;
    }
  | { readonly kind: "conditions"; readonly conditions: Partial<LinkConditions> }
  | { readonly kind: "link"; readonly up: boolean }
  | {
      readonly kind: "address";
      readonly client: boolean;
      readonly version: 4 | 6;
      readonly add: boolean;
    }
  | { readonly kind: "time"; readonly length: Duration };

const PORT = 80;
const MOST_CONVERSATIONS = 4;
const MOST_STEPS = 3_000_000;
const ADDRESSES = {
  client: { 4: "10.0.0.1/24", 6: "2001:db8::1/64" },
  server: { 4: "10.0.0.2/24", 6: "2001:db8::2/64" },
} as const;

/** Two hosts, a link, and users who do what they are told. */
export class TwoStacks {
  readonly conversations: Conversation[] = [];
  readonly network: Network;
  readonly windows = new WindowCheck();
  readonly #client: SimulatedHost;
  readonly #server: SimulatedHost;
  readonly #link: SimulatedLink;
  #rough = false;

  constructor(seed: number, offload: boolean) {
    this.network = new Network({ seed });
    const settings = { dadTransmits: 0, conflictDetection: "off", linkLocal: false } as const;
    this.#client = this.network.host("client", { settings });
    this.#server = this.network.host("server", { settings });
    const device = offload ? { offload: FULL_OFFLOAD } : {};
    const { client, server } = ADDRESSES;
    this.#link = this.network.link(
      { host: this.#client, addresses: [client[4], client[6]], ...device },
      { host: this.#server, addresses: [server[4], server[6]], ...device },
      { latency: millis(5) },
    );
    for (const host of this.#hosts) host.interface().addTap(this.windows);
    this.#listen();
    this.advance(seconds(1));
  }

  perform(operation: Operation): void {
    switch (operation.kind) {
      case "connect":
        return this.#connect(operation.version);
      case "time":
        return this.advance(operation.length);
      case "conditions":
        this.#rough ||=
          (operation.conditions.loss ?? 0) > 0 || (operation.conditions.corruption ?? 0) > 0;
        this.#disturbHandshakes();
        return this.#link.set(operation.conditions);
      case "link":
        this.#rough ||= !operation.up;
        this.#disturbHandshakes();
        return operation.up ? this.#link.up() : this.#link.down();
      case "address":
        return this.#setAddress(operation.client, operation.version, operation.add);
      default: {
        const conversation = this.conversations[operation.who];
        if (conversation === undefined) return;
        const end = operation.client ? conversation.client : conversation.server;
        if (operation.kind === "write") end.write(operation.length);
        else this.#do(end, operation.kind);
        for (const host of this.#hosts) host.wake();
      }
    }
  }

  /** The link is as good as it gets, everybody reads, and everybody has ended. */
  finish(): void {
    this.#link.up();
    this.#link.set({ loss: 0, corruption: 0, reordering: 0, duplication: 0, mtu: 1500 });
    for (const version of [4, 6] as const) {
      this.#setAddress(true, version, true);
      this.#setAddress(false, version, true);
    }
    for (let i = 0; i < 150 && !this.conversations.every(({ over }) => over); i++) {
      for (const { ends } of this.conversations) {
        for (const end of ends) {
          end.stream?.resume();
          end.end();
        }
      }
      for (const host of this.#hosts) host.wake();
      this.advance(seconds(10));
    }
    this.#giveUp();
    // FIN_WAIT_2 without an owner, and 2 MSL.
    this.advance(seconds(200));
  }

  /** Who waits for a peer whose RST was lost waits for ever, unless keep-alives ask for it. */
  #giveUp(): void {
    for (const { ends } of this.conversations) {
      if (!ends.some(({ left }) => left)) continue;
      for (const end of ends) if (!end.closed) end.leave("abort");
    }
  }

  faults(): string[] {
    return [
      ...this.windows.violations,
      ...this.conversations.flatMap((conversation, i) =>
        conversation.faults().map((fault) => `connection ${i}: ${fault}`),
      ),
    ];
  }

  /** What `finish` has not brought to an end. */
  left(): string[] {
    const open = this.conversations.flatMap(({ over }, i) =>
      over ? [] : [`connection ${i} is open`],
    );
    const kept = this.#hosts.flatMap(({ name, stack }) =>
      stack.tcp.connections === 0 ? [] : [`${name}: ${JSON.stringify(stack.tcp.list())}`],
    );
    return [...open, ...kept];
  }

  advance(duration: Duration): void {
    const { simulation } = this.network;
    const until = after(this.network.now, duration);
    for (let steps = 0; simulation.agenda.next <= until; steps++) {
      this.network.step();
      if (steps > MOST_STEPS) throw new Error(`busy: ${steps} steps in ${duration / 1e6} s`);
    }
    simulation.moveTo(until);
  }

  get #hosts(): readonly SimulatedHost[] {
    return [this.#client, this.#server];
  }

  #listen(): void {
    this.#server.stack.tcp.listen({ ip: Ip.parse("::")!, port: PORT }, (stream) => {
      const { remote } = stream;
      const conversation = this.conversations.find(({ client }) => {
        const local = client.stream?.local;
        return local?.kind === "ip" && remote.kind === "ip" && local.port === remote.port;
      })!;
      const end = conversation.server;
      end.stream = stream;
      return end.handler;
    });
  }

  #connect(version: 4 | 6): void {
    if (this.conversations.length >= MOST_CONVERSATIONS) return;
    const conversation = new Conversation(this.conversations.length, version);
    conversation.disturbed = this.#rough;
    this.conversations.push(conversation);
    const [text] = ADDRESSES.server[version].split("/");
    const handler = {
      ...conversation.client.handler,
      onConnect: () => {
        conversation.established = true;
      },
    };
    const ip = Ip.parse(text!)!;
    conversation.client.stream = this.#client.stack.tcp.connect({ ip, port: PORT }, handler);
    this.#client.wake();
  }

  #do(end: End, what: "pause" | "resume" | "end" | "close" | "abort" | "cork" | "uncork"): void {
    const { stream } = end;
    if (stream === null) return;
    if (what === "end") end.end();
    else if (what === "close" || what === "abort") end.leave(what);
    else if (what === "pause" || what === "resume") stream[what]();
    else stream.cork = what === "cork";
  }

  /** Who is not connected yet may give up: neighbours are asked three times, SYNs sent seven times. */
  #disturbHandshakes(): void {
    if (!this.#rough) return;
    for (const conversation of this.conversations) {
      if (!conversation.established || conversation.server.stream === null)
        conversation.disturbed = true;
    }
  }

  #setAddress(client: boolean, version: 4 | 6, add: boolean): void {
    const host = client ? this.#client : this.#server;
    const text = ADDRESSES[client ? "client" : "server"][version];
    const { addresses } = host.interface();
    const has = addresses.find(Ip.parse(text.split("/")[0]!)!) !== null;
    if (has === add) return;
    if (add) host.stack.configuration.addAddress("eth0", text);
    else {
      host.stack.configuration.removeAddress("eth0", text);
      for (const conversation of this.conversations) {
        if (conversation.version === version) conversation.disturbed = true;
      }
      this.#rough = true;
    }
    host.wake();
  }
}
