/**
 * What the system calls alone allow: frames are read from TAP devices and looked at by nobody.
 *
 *     tap-relay.ts discard NAME MTU       read and thrown away
 *     tap-relay.ts relay NAME MTU NAME    read from each and written to the other
 */
import { pinnedPacket } from "../../../src/drivers/tap/pinned-packet.ts";
import { InterfaceQuery } from "../../../src/native/interface-query.ts";
import { LoopPoll } from "../../../src/native/poll.ts";
import { TunQueue } from "../../../src/native/tun.ts";

const BATCH = 64;
const ALL = { checksum: true, tcp: true, udp: true };

const [mode = "", name = "", mtu = "", other = ""] = process.argv.slice(2);
const query = new InterfaceQuery();
const names = mode === "relay" ? [name, other] : [name];
const queues = names.map((each) => {
  const queue = TunQueue.open({ name: each, mode: "tap", multiQueue: false });
  queue.setOffload(ALL);
  query.setMtu(each, Number(mtu));
  query.setUp(each, true);
  return queue;
});

class Pump {
  readonly #from: TunQueue;
  readonly #to: TunQueue | null;
  readonly #packet = pinnedPacket();
  readonly #poll: LoopPoll;
  readonly #turn = (): void => this.#run();

  constructor(from: TunQueue, to: TunQueue | null) {
    this.#from = from;
    this.#to = to;
    this.#poll = new LoopPoll(from.fd, this.#turn);
  }

  #run(): void {
    for (let i = 0; i < BATCH; i++) {
      const n = this.#from.read(this.#packet, 0, this.#packet.bytes.length);
      if (n > 0) this.#to?.write(this.#packet, 0, n);
      else if (i === 0) return this.#poll.start();
      else break;
    }
    setImmediate(this.#turn);
  }
}

const [first, second] = queues;
const pumps = [new Pump(first!, second ?? null)];
if (second !== undefined) pumps.push(new Pump(second, first!));
process.stdout.write("ready\n");
