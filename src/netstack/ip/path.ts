import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Path, PathConstraint } from "./ip-layer.ts";
import type { PathMtuCache } from "./path-mtu.ts";
import type { RoutingTable } from "./routing-table.ts";

/** What was found out once about the way to a destination. */
export interface PathFacts {
  readonly destination: Ip;
  readonly source: Ip;
  readonly interface: Interface;
  readonly nextHop: Ip;
  /** A route's own, or 0. */
  readonly mtu: number;
}

/** A path that is shared by all who asked for the same. */
export class KnownPath implements Path {
  readonly destination: Ip;
  readonly source: Ip;
  readonly interface: Interface;
  readonly nextHop: Ip;
  readonly constraint: PathConstraint | undefined;
  /** This host may be among those meant: what is sent comes back in, too. */
  readonly meansUsToo: boolean;
  /** With the same hash. */
  next: KnownPath | null = null;
  readonly #routes: RoutingTable;
  readonly #pathMtus: PathMtuCache;
  readonly #generation: number;
  readonly #routeMtu: number;
  #linkMtu = 0;
  #mtuGeneration = 0;
  #mtu = 0;

  constructor(
    facts: PathFacts,
    constraint: PathConstraint | undefined,
    routes: RoutingTable,
    pathMtus: PathMtuCache,
  ) {
    this.destination = facts.destination;
    this.source = facts.source;
    this.interface = facts.interface;
    this.nextHop = facts.nextHop;
    this.constraint = constraint;
    this.meansUsToo = facts.destination.isMulticast
      ? constraint?.multicastLoop !== false
      : facts.nextHop.isLimitedBroadcast;
    this.#routes = routes;
    this.#pathMtus = pathMtus;
    this.#generation = routes.generation;
    this.#routeMtu = facts.mtu;
  }

  get valid(): boolean {
    return this.#generation === this.#routes.generation;
  }

  get mtu(): number {
    const { mtu } = this.interface;
    if (mtu !== this.#linkMtu || this.#mtuGeneration !== this.#pathMtus.generation) this.#measure();
    return this.#mtu;
  }

  confirm(): void {
    this.interface.link.confirm(this.nextHop);
  }

  /** Whether it answers the same question. */
  answers(destination: Ip, constraint: PathConstraint | undefined): boolean {
    if (!this.destination.equals(destination)) return false;
    const mine = this.constraint;
    if (mine === constraint) return true;
    return (
      mine?.interface === constraint?.interface &&
      (mine?.anySource ?? false) === (constraint?.anySource ?? false) &&
      (mine?.multicastLoop ?? true) === (constraint?.multicastLoop ?? true) &&
      sameIp(mine?.source, constraint?.source)
    );
  }

  #measure(): void {
    this.#linkMtu = this.interface.mtu;
    this.#mtuGeneration = this.#pathMtus.generation;
    let mtu = this.#linkMtu;
    if (this.#routeMtu > 0 && this.#routeMtu < mtu) mtu = this.#routeMtu;
    const told = this.#pathMtus.get(this.destination);
    this.#mtu = told > 0 && told < mtu ? told : mtu;
  }
}

function sameIp(a: Ip | undefined, b: Ip | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}
