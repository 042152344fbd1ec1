import { checkAnswer } from "./check-answer.ts";
import { bodyAtOrigin, isPrefix } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import type { Leftovers, Played } from "./run.ts";
import { isIll } from "./scenario.ts";

/** Of a stream of the proxy: the high-water mark, another read or what was kept, and heads. */
const mostQueued = (64 + 64 + 16) * 1024;

/** All that does not hold of a run, in words. */
export function violationsOf(played: Played): readonly string[] {
  const found: string[] = [...played.log.violations];
  for (const { outcomes } of played.clients) {
    for (const outcome of outcomes) found.push(...checkAnswer(played, outcome));
  }
  return [
    ...found,
    ...checkArrivals(played),
    ...checkSummaries(played),
    ...checkHooks(played),
    ...checkLeftovers(played),
    ...checkDrain(played),
  ];
}

/** What origins saw. */
function checkArrivals({ log, scenario }: Played): string[] {
  const found: string[] = [];
  const { attempts, nonIdempotent } = scenario.upstream.retries;
  for (const [id, arrivals] of log.arrivals) {
    const { request } = arrivals[0]!;
    if (arrivals.length > attempts) {
      found.push(`${id} came ${arrivals.length} times with ${attempts} attempts`);
    }
    const once = (request.method === "POST" || request.method === "PATCH") && !nonIdempotent;
    if (once && arrivals.length > 1) found.push(`${request.method} ${id} came twice`);
    const whole = bodyAtOrigin(request, scenario.program);
    for (const { complete, number, pieces, trailer } of arrivals) {
      const body = Buffer.concat(pieces);
      if (complete && Buffer.compare(body, whole) !== 0) {
        found.push(`${id}/${number} came with ${body.length} wrong bytes, not ${whole.length}`);
      } else if (!complete && !isPrefix(body, whole)) {
        found.push(`${id}/${number} came with ${body.length} wrong bytes at its start`);
      }
      if (complete && trailer !== (request.trailer ? id : null)) {
        found.push(`${id}/${number} came with the trailer ${trailer}`);
      }
    }
  }
  return found;
}

/** Each request ends once, with figures that agree with what client and origin saw. */
function checkSummaries({ clients, log, recorder, scenario }: Played): string[] {
  const found: string[] = [];
  const byId = new Map(recorder.requests.map((summary) => [summary.target.slice(1), summary]));
  const named = recorder.requests.filter(({ target }) => target !== "");
  if (byId.size - (byId.has("") ? 1 : 0) !== named.length) found.push("a request ended twice");
  const outcomes = clients.flatMap((client): readonly Outcome[] => client.outcomes);
  for (const outcome of outcomes) {
    const { request, status, complete, content, tunnel } = outcome;
    const summary = byId.get(request.id);
    if (summary === undefined) {
      // A head that never came whole has no name.
      const known = complete && status !== 408 && request.malformed === null;
      if (known || log.of(request.id).length > 0) found.push(`${request.id} never ended`);
      continue;
    }
    if (complete && summary.status !== status) {
      found.push(`${request.id} was told as ${summary.status}, and seen as ${status}`);
    }
    if (complete && !tunnel && summary.responseBytes !== content.length) {
      found.push(`${request.id}: ${summary.responseBytes} bytes told, ${content.length} seen`);
    }
    if (summary.attempts > scenario.upstream.retries.attempts) {
      found.push(`${request.id} had ${summary.attempts} attempts`);
    }
    if (summary.attempts < log.of(request.id).length) {
      found.push(`${request.id} came more often than it was tried`);
    }
    if (!(summary.total >= 0) || (summary.connect ?? 0) > summary.total) {
      found.push(`${request.id} took ${summary.total}, to connect ${summary.connect}`);
    }
  }
  return found;
}

function checkHooks({ program, recorder }: Played): string[] {
  const found: string[] = [];
  for (const { request, logged } of program.contexts) {
    if (logged !== 1) found.push(`${request?.id}: logging was called ${logged} times`);
  }
  const planned = recorder.faults.filter(({ message }) => message === "as planned");
  const others = recorder.faults.filter(({ message }) => message !== "as planned");
  for (const { where, message } of others) found.push(`fault in ${where}: ${message}`);
  if (planned.length > program.thrown) found.push("a fault was told twice");
  return found;
}

function checkLeftovers({ settled, aged, closed, transport, scenario }: Played): string[] {
  const found: string[] = [];
  const none = (when: string, left: Leftovers, names: readonly (keyof Leftovers)[]): void => {
    for (const name of names) if (left[name] !== 0) found.push(`${when}: ${left[name]} ${name}`);
  };
  none("with no client", settled, ["clients", "active", "waiting", "busy", "open"]);
  if (settled.upstreamOpen !== settled.connections) {
    found.push(`${settled.upstreamOpen} upstream connections told, ${settled.connections} there`);
  }
  none("after the idle timeout", aged, ["connections", "upstreamOpen", "streams"]);
  none("closed", closed, ["clients", "active", "connections", "upstreamOpen", "streams", "timers"]);
  const { requestBody, responseBody } = scenario.program;
  // A filter that gathers a body writes it in one piece: there it is the program that sets no bound.
  const bounded = requestBody !== "gather" && responseBody !== "gather";
  if (bounded && transport.mostQueued > mostQueued)
    found.push(`${transport.mostQueued} bytes were queued`);
  return found;
}

function checkDrain({ drained, scenario, clients }: Played): string[] {
  if (drained === null || scenario.drain === null) return [];
  const found: string[] = [];
  if (!drained.resolved) found.push("drain did not end in time");
  if (drained.connections > 0) found.push(`${drained.connections} connections after drain`);
  const generous = scenario.drain.deadline > 100_000_000;
  if (!generous || isIll(scenario.ills)) return found;
  for (const { outcomes } of clients) {
    for (const { request, status, complete, tunnel } of outcomes) {
      if (status !== 0 && !complete && !tunnel) found.push(`drain cut the answer to ${request.id}`);
    }
  }
  return found;
}
