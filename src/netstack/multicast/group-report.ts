import { GroupRecordType } from "../../wire/igmp.ts";
import type { Ip } from "../ip-address.ts";
import { common, isNoSource, type SourceFilter, without } from "./source-filter.ts";

/** A group record of IGMPv3 and MLDv2 (RFC 3376 §4.2.12, RFC 3810 §5.2.12). */
export interface GroupRecord {
  /** `GroupRecordType`. */
  readonly type: number;
  readonly group: Ip;
  readonly sources: readonly Ip[];
}

const { modeIsInclude, modeIsExclude, changeToInclude, changeToExclude } = GroupRecordType;
const { allowNewSources, blockOldSources } = GroupRecordType;

/** The state of a group, in answer to a general or group query; null when there is nothing to say. */
export function currentState(group: Ip, filter: SourceFilter): GroupRecord | null {
  if (isNoSource(filter)) return null;
  const type = filter.mode === "include" ? modeIsInclude : modeIsExclude;
  return { type, group, sources: filter.sources };
}

/** The answer to a group-and-source query about `asked` (RFC 3376 §5.2). */
export function askedState(
  group: Ip,
  filter: SourceFilter,
  asked: readonly Ip[],
): GroupRecord | null {
  const { mode, sources } = filter;
  const wanted = mode === "include" ? common(sources, asked) : without(asked, sources);
  return wanted.length === 0 ? null : { type: modeIsInclude, group, sources: wanted };
}

/** A filter-mode-change record (RFC 3376 §5.1). */
export const modeChange = (group: Ip, { mode, sources }: SourceFilter): GroupRecord => ({
  type: mode === "include" ? changeToInclude : changeToExclude,
  group,
  sources,
});

/** Source-list-change records for sources that were added to or taken from the filter. */
export function sourceChanges(
  group: Ip,
  { mode, sources }: SourceFilter,
  changed: readonly Ip[],
): GroupRecord[] {
  const listed = common(changed, sources);
  const others = without(changed, sources);
  const [allowed, blocked] = mode === "include" ? [listed, others] : [others, listed];
  const records: GroupRecord[] = [];
  if (allowed.length > 0) records.push({ type: allowNewSources, group, sources: allowed });
  if (blocked.length > 0) records.push({ type: blockOldSources, group, sources: blocked });
  return records;
}

/**
 * Records in messages of at most `room` octets each (RFC 3376 §4.2.16). A record that is longer is
 * divided, but for those of EXCLUDE, whose list is cut off: a router then sends more than is wanted.
 */
export function* packed(
  records: readonly GroupRecord[],
  room: number,
  addressLength: 4 | 16,
): Generator<readonly GroupRecord[]> {
  const header = 4 + addressLength;
  const most = Math.max(1, Math.floor((room - header) / addressLength));
  let message: GroupRecord[] = [];
  let length = 0;
  for (const record of records) {
    for (const part of divided(record, most)) {
      const size = header + addressLength * part.sources.length;
      if (length + size > room && message.length > 0) {
        yield message;
        message = [];
        length = 0;
      }
      message.push(part);
      length += size;
    }
  }
  if (message.length > 0) yield message;
}

function* divided(record: GroupRecord, most: number): Generator<GroupRecord> {
  const { type, group, sources } = record;
  if (sources.length <= most) return yield record;
  const excludes = type === modeIsExclude || type === changeToExclude;
  for (let at = 0; at < (excludes ? most : sources.length); at += most) {
    yield { type, group, sources: sources.slice(at, at + most) };
  }
}
