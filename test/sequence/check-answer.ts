import { stall } from "./draw-request.ts";
import { requestMessage } from "./messages.ts";
import { bodyAtClient, isPrefix, localBody, tunnelBody } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import type { Played } from "./run.ts";
import { type Behaviour, type Ills, isIll, type Scenario } from "./scenario.ts";

/** What does not hold of what a client got for a request. */
export function checkAnswer(played: Played, outcome: Outcome): readonly string[] {
  const { request, status, answers, local, complete, nonsense, sent } = outcome;
  const found: string[] = [];
  const say = (what: string): void => void found.push(`${request.id}: ${what}`);
  if (nonsense !== null) say(`the client got nonsense (${nonsense})`);
  if (status === 0) {
    if (sent && mustBeAnswered(played.scenario)) say("no answer");
    return found;
  }
  if (!complete && !outcome.tunnel && mustBeAnswered(played.scenario)) {
    say(`an answer that stops after ${outcome.content.length} bytes`);
  }
  if (answers !== null) found.push(...checkRelayed(played, outcome, answers));
  else if (local) checkBody(outcome, localBody(request), say);
  else if (complete && !mayBeAnsweredBy(played.scenario, outcome))
    say(`the proxy answered ${status}`);
  return found;
}

/** An answer that came from an origin. */
function checkRelayed(played: Played, outcome: Outcome, answers: string): string[] {
  const { log, scenario } = played;
  const { request, status, content, complete } = outcome;
  const found: string[] = [];
  const say = (what: string): void => void found.push(`${request.id}: ${what}`);
  const [id, text] = answers.split("/");
  const number = Number(text);
  const arrival = log.of(request.id)[number];
  if (id !== request.id || arrival === undefined) {
    say(`got the answer to ${answers}`);
    return found;
  }
  const plan = behaviourOf(outcome, number);
  if (complete && outlastsTimeouts(played, outcome, plan)) say("answered in spite of the timeouts");
  if (status !== plan.status) say(`status ${status}, not ${plan.status}`);
  if (outcome.tunnel) {
    const whole = tunnelBody(request);
    if (!isPrefix(content, whole)) say(`${content.length} wrong bytes in the tunnel`);
    if (mustBeAnswered(scenario) && content.length < whole.length) {
      say(`${content.length} of ${whole.length} bytes in the tunnel`);
    }
    return found;
  }
  const body = bodyAtClient(request, number, plan, scenario.program);
  // A body that the end of the connection ends may be cut by an end that comes too soon.
  if (arrival.cut && plan.framing === "close" && plan.pace.death?.by === "end") return found;
  checkBody(outcome, body, say);
  if (request.method === "HEAD" && status === 200 && plan.framing === "length") {
    const { declaredLength } = outcome;
    if (declaredLength !== plan.size) say(`length ${declaredLength}, not ${plan.size}`);
  }
  const trailer =
    plan.trailer && request.minor === 1 && request.method !== "HEAD" && body.length > 0;
  if (complete && trailer && outcome.trailer !== request.id) say(`trailer ${outcome.trailer}`);
  return found;
}

function checkBody(outcome: Outcome, body: Uint8Array, say: (what: string) => void): void {
  const { content, complete } = outcome;
  if (complete && Buffer.compare(content, body) !== 0) {
    say(`${content.length} bytes that are not the ${body.length} of its answer`);
  } else if (!isPrefix(content, body)) say(`${content.length} wrong bytes at its start`);
}

function behaviourOf({ request }: Outcome, number: number): Behaviour {
  const { behaviours } = request;
  return behaviours[Math.min(number, behaviours.length - 1)]!;
}

/** Whether client or origin fell silent within the exchange for longer than the proxy may wait. */
function outlastsTimeouts({ clients }: Played, { request }: Outcome, plan: Behaviour): boolean {
  if (plan.early || plan.status === 101) return false;
  if (plan.delay >= stall) return true;
  const alone = clients.some(
    ({ plan: { depth, requests } }) => depth === 1 && requests.includes(request),
  );
  const { bytes } = requestMessage(request);
  return (
    alone &&
    request.pace.pauses.some(({ at, wait }) => wait >= stall && at > 0 && at < bytes.length)
  );
}

/** Nothing goes wrong in this run: every request gets its own answer. */
const mustBeAnswered = ({ ills, drain }: Scenario): boolean => !isIll(ills) && drain === null;

/** Which of its own answers the proxy may give, by what can go wrong. */
function mayBeAnsweredBy({ ills, drain }: Scenario, { request, status }: Outcome): boolean {
  switch (status) {
    case 400:
    case 414:
    case 505:
      return request.malformed !== null;
    case 408:
      return ills.clients;
    case 500:
      return ills.hooks;
    case 502:
      return ills.links || ills.origins;
    case 503:
      return ills.scarce || drain !== null;
    case 504:
      return mayTimeOut(ills);
    default:
      return false;
  }
}

const mayTimeOut = (ills: Ills): boolean => ills.links || ills.origins;
