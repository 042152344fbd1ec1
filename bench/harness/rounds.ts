import type { RunningProcess } from "../../test/support/processes.ts";
import type { Peer } from "../peers/peer.ts";
import { say } from "./report.ts";

/** A proxy that is up and takes its turns. */
export interface Contestant {
  readonly peer: Peer;
  readonly port: number;
  readonly running: RunningProcess;
}

export interface Rounds<C extends Contestant, R> {
  readonly peers: readonly Peer[];
  readonly rounds: number;
  start(peer: Peer): Promise<C>;
  /** A warm-up and a measurement; tells what came of it. */
  takeTurn(contestant: C, round: number): Promise<string>;
  summarise(contestant: C): R;
}

/** All peers up together and in turns, round after round, so that a slow minute meets them all. */
export async function playRounds<C extends Contestant, R>(
  play: Rounds<C, R>,
): Promise<Record<string, R>> {
  const contestants: C[] = [];
  try {
    for (const peer of play.peers) contestants.push(await play.start(peer));
    for (let round = 1; round <= play.rounds; round++) {
      for (const contestant of contestants) {
        const { peer, running } = contestant;
        if (!running.running) {
          throw new Error(`${peer.name} ended during the run\n${running.stdout}${running.stderr}`);
        }
        const progress = await play.takeTurn(contestant, round);
        say(`  round ${round}/${play.rounds}  ${peer.name}: ${progress}`);
      }
    }
    return Object.fromEntries(contestants.map((each) => [each.peer.name, play.summarise(each)]));
  } finally {
    await Promise.all(contestants.map(({ running }) => running.stop()));
  }
}
