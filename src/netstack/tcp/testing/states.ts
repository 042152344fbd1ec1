import { TcpFlag } from "../../../wire/tcp.ts";
import type { TcpStateKind } from "../state.ts";
import { Station } from "./station.ts";

/** RFC 9293 §3.3.2, by the names that `TcpState` has; `Listen` has no connection. */
export type StateName = TcpStateKind | "Listen";

const { syn: SYN, ack: ACK, fin: FIN, psh: PSH } = TcpFlag;

/** Each brings a new station into a state; what was sent on the way is forgotten. */
const ENTRANCES: Readonly<Record<StateName, (station: Station) => void>> = {
  Closed() {},
  Listen: (station) => station.listen(),
  SynSent: (station) => station.connect(),
  SynReceived(station) {
    station.listen();
    station.sendNext(SYN);
  },
  Established: establish,
  CloseWait(station) {
    establish(station);
    station.sendNext(FIN | ACK);
  },
  FinWait1(station) {
    establish(station);
    end(station);
  },
  FinWait2: finWait2,
  Closing(station) {
    establish(station);
    const before = station.ourNext;
    end(station);
    station.send(FIN | ACK, station.next, before);
    station.next = ((station.next + 1) >>> 0) as typeof station.next;
  },
  LastAck(station) {
    establish(station);
    station.sendNext(FIN | ACK);
    end(station);
  },
  TimeWait(station) {
    finWait2(station);
    station.sendNext(FIN | ACK);
  },
};

export const STATES = Object.keys(ENTRANCES) as StateName[];

/** A station whose connection is in that state, with a hundred bytes received where there could be. */
export function stationIn(state: StateName): Station {
  const station = new Station();
  ENTRANCES[state](station);
  station.sent.length = 0;
  return station;
}

/** The state of the station's connection; `Listen` or `Closed` where there is none. */
export function stateOf(station: Station): StateName {
  const state = station.connectionState();
  if (state !== "Closed") return state;
  return station.listening ? "Listen" : "Closed";
}

function establish(station: Station): void {
  station.listen();
  station.sendNext(SYN);
  station.sendNext(ACK);
  station.sendNext(PSH | ACK, 100);
}

function end(station: Station): void {
  station.stream.end();
  station.stack.run();
}

function finWait2(station: Station): void {
  establish(station);
  end(station);
  station.sendNext(ACK);
}
