import { after, type Duration, type Instant, seconds } from "../../core/time.ts";
import { FOREVER } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import { Deadline, randomBelow } from "../deadline.ts";
import type { Ip } from "../ip-address.ts";
import {
  askedState,
  currentState,
  type GroupRecord,
  modeChange,
  sourceChanges,
} from "./group-report.ts";
import type { GroupListener, GroupTable } from "./group-table.ts";
import { QuerierVersions } from "./querier-versions.ts";
import { isNoSource, NO_SOURCE, type SourceFilter, union, without } from "./source-filter.ts";

/** RFC 3376 §8.11, RFC 3810 §9.11; in older versions 10 seconds (RFC 2236 §8.10, RFC 2710 §7.10). */
const UNSOLICITED_INTERVAL = seconds(1);
const OLD_UNSOLICITED_INTERVAL = seconds(10);

/** A query that passed its checks. */
export interface GroupQuery {
  readonly version: number;
  /** Null: about all groups. */
  readonly group: Ip | null;
  readonly maxResponse: Duration;
  readonly sources: readonly Ip[];
  /** 0: not told. */
  readonly robustness: number;
  readonly interval: Duration;
}

/** Puts reports on the link. */
export interface ReportSender {
  /** In our own version. */
  sendRecords(records: readonly GroupRecord[]): void;
  /** In an older one. */
  sendReport(version: number, group: Ip): void;
  sendLeave(version: number, group: Ip): void;
}

/**
 * The host's part of IGMPv3 (RFC 3376 §5) and MLDv2 (RFC 3810 §6), which differ in their messages
 * only, for one interface, with their older versions. Changes are told in the next run of the stack,
 * and again after random times as often as the robustness variable says; queries are answered after
 * random times. Holds at most twice `limits.groupsPerInterface` groups: what was left is told once
 * only when there are more.
 */
export class MembershipReporter implements GroupListener {
  readonly #context: StackContext;
  readonly #table: GroupTable;
  readonly #family: 4 | 6;
  readonly #newest: number;
  readonly #sender: ReportSender;
  readonly #versions: QuerierVersions;
  readonly #groups: ReportedGroup[] = [];
  readonly #deadline: Deadline;
  /** When changes are told the next time, and a general query answered. */
  #changesAt: Instant = FOREVER;
  #generalAt: Instant = FOREVER;
  #up = false;

  constructor(context: StackContext, table: GroupTable, family: 4 | 6, sender: ReportSender) {
    this.#context = context;
    this.#table = table;
    this.#family = family;
    this.#newest = family === 4 ? 3 : 2;
    this.#sender = sender;
    this.#versions = new QuerierVersions(context, this.#newest, () => this.#versionChanged());
    this.#deadline = new Deadline(context, (now) => this.#onDue(now));
    table.watch(this);
  }

  /** The version that is spoken now. */
  get version(): number {
    return this.#versions.current;
  }

  /** Groups that something is still to be told about. */
  get pending(): number {
    return this.#groups.length;
  }

  /** The interface is up: whoever listens there knows nothing of us. Also to tell all once more. */
  start(): void {
    this.#up = true;
    for (const group of this.#table.reported(this.#family)) {
      this.onFilterChanged(group, NO_SOURCE, this.#table.filterOf(group));
    }
  }

  stop(): void {
    this.#up = false;
    this.#groups.length = 0;
    this.#changesAt = FOREVER;
    this.#generalAt = FOREVER;
    this.#versions.reset();
    this.#deadline.cancel();
  }

  onFilterChanged(group: Ip, before: SourceFilter, after: SourceFilter): void {
    if (!this.#up || group.version !== this.#family) return;
    const state = this.#stateOf(group);
    const { robustness } = this.#versions;
    if (before.mode !== after.mode || isNoSource(before) || isNoSource(after)) {
      // RFC 3376 §5.1: a change of mode carries the whole list, and what is pending with it.
      state.modeLeft = robustness;
      state.changed.length = 0;
    } else {
      const changed = union(
        without(before.sources, after.sources),
        without(after.sources, before.sources),
      );
      for (const ip of changed) this.#noteSource(state, ip, robustness);
    }
    this.#changesAt = this.#context.now();
    this.#schedule();
  }

  handleQuery(query: GroupQuery): void {
    if (!this.#up) return;
    const before = this.version;
    this.#versions.heard(query.version, query.robustness, query.interval);
    if (this.version !== before) this.#versionChanged();
    const delay = randomBelow(this.#context.rng, query.maxResponse);
    const at = after(this.#context.now(), delay);
    if (this.version < this.#newest) this.#askOld(query);
    // RFC 3376 §5.2 rule 1: an answer about everything comes sooner.
    else if (this.#generalAt > at) this.#ask(query, at);
    this.#schedule();
  }

  /** In an older version: somebody else has reported the group, so that we need not (RFC 2236 §3). */
  handleReport(group: Ip): void {
    if (this.version === this.#newest) return;
    const state = this.#groups.find((one) => one.group.equals(group));
    if (state !== undefined) state.answerAt = FOREVER;
  }

  /** RFC 3376 §5.2 rules 2 to 5. */
  #ask({ group, sources }: GroupQuery, at: Instant): void {
    if (group === null) {
      this.#generalAt = at;
      return;
    }
    if (isNoSource(this.#table.filterOf(group))) return;
    const state = this.#stateOf(group);
    const fresh = state.answerAt === FOREVER;
    if (sources.length === 0 || (!fresh && state.asked.length === 0)) state.asked = [];
    else state.asked = union(fresh ? [] : state.asked, sources);
    // More than that is answered with all that there is to say of the group.
    if (state.asked.length > this.#context.limits.sourcesPerFilter) state.asked = [];
    if (at < state.answerAt) state.answerAt = at;
  }

  /** RFC 2236 §3, RFC 2710 §4: a random delay for each group, unless it reports sooner. */
  #askOld({ group, maxResponse }: GroupQuery): void {
    const asked = group === null ? [...this.#table.reported(this.#family)] : [group];
    const latest = after(this.#context.now(), maxResponse);
    for (const one of asked) {
      if (isNoSource(this.#table.filterOf(one))) continue;
      const state = this.#stateOf(one);
      if (state.answerAt <= latest) continue;
      const delay = randomBelow(this.#context.rng, maxResponse);
      state.asked = [];
      state.answerAt = after(this.#context.now(), delay);
    }
  }

  #onDue(now: Instant): void {
    if (this.#changesAt <= now) this.#tellChanges(now);
    if (this.#generalAt <= now) {
      this.#generalAt = FOREVER;
      const groups = [...this.#table.reported(this.#family)];
      this.#send(groups.map((group) => currentState(group, this.#table.filterOf(group))));
    }
    const due = this.#groups.filter(({ answerAt }) => answerAt <= now);
    const answers: (GroupRecord | null)[] = [];
    for (const state of due) {
      state.answerAt = FOREVER;
      const filter = this.#table.filterOf(state.group);
      const { group, asked } = state;
      if (this.version < this.#newest) {
        if (!isNoSource(filter)) this.#sender.sendReport(this.version, group);
      } else if (asked.length > 0) answers.push(askedState(group, filter, asked));
      else answers.push(currentState(group, filter));
    }
    this.#send(answers);
    this.#forgetDone();
    this.#schedule();
  }

  /** One round of state-change reports (RFC 3376 §5.1), or of unsolicited ones in an older version. */
  #tellChanges(now: Instant): void {
    const records: GroupRecord[] = [];
    for (const state of this.#groups) {
      if (this.version < this.#newest) this.#tellOld(state);
      else records.push(...this.#changesOf(state));
      for (const source of state.changed) source.left--;
      state.changed = state.changed.filter(({ left }) => left > 0);
      if (state.modeLeft > 0) state.modeLeft--;
    }
    this.#send(records);
    const more = this.#groups.some(({ modeLeft, changed }) => modeLeft > 0 || changed.length > 0);
    const old = this.version < this.#newest;
    const interval = old ? OLD_UNSOLICITED_INTERVAL : UNSOLICITED_INTERVAL;
    const delay = randomBelow(this.#context.rng, interval);
    this.#changesAt = more ? after(now, delay) : FOREVER;
  }

  #changesOf({ group, modeLeft, changed }: ReportedGroup): GroupRecord[] {
    const filter = this.#table.filterOf(group);
    if (modeLeft > 0) return [modeChange(group, filter)];
    return sourceChanges(
      group,
      filter,
      changed.map(({ ip }) => ip),
    );
  }

  /** Older versions know of groups only, not of sources. A leave is said once. */
  #tellOld(state: ReportedGroup): void {
    if (state.modeLeft === 0) return;
    if (!isNoSource(this.#table.filterOf(state.group))) {
      this.#sender.sendReport(this.version, state.group);
      return;
    }
    this.#sender.sendLeave(this.version, state.group);
    state.modeLeft = 0;
  }

  #send(records: readonly (GroupRecord | null)[]): void {
    const present = records.filter((record) => record !== null);
    if (present.length > 0) this.#sender.sendRecords(present);
  }

  /** RFC 3376 §7.2.1: what was to be said in the other version is not said. */
  #versionChanged(): void {
    this.#groups.length = 0;
    this.#changesAt = FOREVER;
    this.#generalAt = FOREVER;
    this.#schedule();
  }

  #noteSource(state: ReportedGroup, ip: Ip, left: number): void {
    const known = state.changed.find((one) => one.ip.equals(ip));
    if (known !== undefined) known.left = left;
    else state.changed.push({ ip, left });
  }

  #stateOf(group: Ip): ReportedGroup {
    let state = this.#groups.find((one) => one.group.equals(group));
    if (state !== undefined) return state;
    if (this.#groups.length >= 2 * this.#context.limits.groupsPerInterface) this.#groups.shift();
    state = { group, modeLeft: 0, changed: [], answerAt: FOREVER, asked: [] };
    this.#groups.push(state);
    return state;
  }

  #forgetDone(): void {
    for (let i = this.#groups.length - 1; i >= 0; i--) {
      const { modeLeft, changed, answerAt } = this.#groups[i]!;
      if (modeLeft === 0 && changed.length === 0 && answerAt === FOREVER) this.#groups.splice(i, 1);
    }
  }

  #schedule(): void {
    let next = this.#changesAt < this.#generalAt ? this.#changesAt : this.#generalAt;
    for (const { answerAt } of this.#groups) if (answerAt < next) next = answerAt;
    this.#deadline.set(next);
  }
}

/** A group about which something is to be said. */
interface ReportedGroup {
  readonly group: Ip;
  /** How often its mode, with the whole list, is to be told. */
  modeLeft: number;
  /** Sources that came or went, and how often that is to be told. */
  changed: { readonly ip: Ip; left: number }[];
  /** When a query about it is answered. */
  answerAt: Instant;
  /** Sources that the query asked about; none: the whole group. */
  asked: Ip[];
}
