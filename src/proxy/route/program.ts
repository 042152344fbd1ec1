import type { Rng } from "../../core/random.ts";
import type { ProxyProgram } from "../program.ts";
import type { Session } from "../session-api.ts";
import { FixedAnswer, Plan, planOf, type TranscodingFactory } from "./plan.ts";
import type { RouteSettings } from "./settings.ts";
import { RouteTable } from "./table.ts";

/**
 * The program that a listener's routes amount to, made of the public phases. Only those phases exist that
 * the routes need, since the engine takes a shorter way past an absent one. The context of a request is
 * its route's plan, an object made beforehand, so routing allocates nothing of its own.
 *
 * `newContext` finds the route and names it; `requestFilter` answers redirects, fixed responses, and
 * requests without a route (404) or with a path that is not to be trusted (400); `upstreamPeer` gives
 * the upstream. Rewrites and edits of the request happen in `upstreamRequestFilter`, on the copy that
 * goes out: the access log and X-Forwarded-Host keep what the client sent, a second try starts afresh,
 * and an edit has the last word over what the proxy adds. `responseFilter` edits the response.
 *
 * `rng` draws the requests of a split that are not sticky; `transcoding` (`routeTranscoding`) is needed
 * where a route transcodes.
 */
export function routeProgram(
  routes: readonly RouteSettings[],
  rng: Rng,
  transcoding: TranscodingFactory | null = null,
): ProxyProgram<unknown> {
  const table = new RouteTable(routes);
  const plans = table.routes.map((route) => planOf(route, rng, transcoding));
  const only = table.only === null ? undefined : plans[table.only.index];
  if (only !== undefined && isPlain(only)) return straightProgram(only);

  const program: ProxyProgram<Plan> = {
    newContext(session) {
      const found = table.find(session.request);
      const plan = typeof found === "string" ? unrouted[found] : plans[found.index]!;
      session.route = plan.name;
      return plan;
    },
    upstreamPeer: (session, plan) => plan.split?.pick(session) ?? plan.upstream,
  };
  if (!table.isTotal || plans.some((plan) => plan.answer !== null)) {
    program.requestFilter = (session, plan) => plan.answer?.give(session);
  }
  if (plans.some((plan) => plan.editsRequest)) program.upstreamRequestFilter = editRequest;
  if (plans.some((plan) => plan.responseEdits !== null)) program.responseFilter = editResponse;
  if (plans.some((plan) => plan.compression !== null)) {
    program.compression = (_session, plan) => plan.compression;
  }
  if (plans.some((plan) => plan.bridging !== null)) {
    program.bridge = (session, plan) => plan.bridging?.open(session);
  }
  return program as ProxyProgram<unknown>;
}

/** Everything to one upstream, untouched but for its coding. */
function straightProgram({ name, upstream, compression }: Plan): ProxyProgram<unknown> {
  return {
    upstreamPeer(session) {
      session.route = name;
      return upstream;
    },
    ...(compression !== null && { compression: () => compression }),
  };
}

const isPlain = (plan: Plan): boolean =>
  plan.upstream !== "" &&
  !plan.editsRequest &&
  plan.responseEdits === null &&
  plan.bridging === null;

function editRequest(session: Session, plan: Plan): void {
  const head = session.upstreamRequest;
  if (plan.rewritePath !== null && session.request.path.startsWith("/")) {
    head.target = plan.rewritePath.target(session.request);
  }
  if (plan.rewriteHost !== null) head.headers.set("Host", plan.rewriteHost);
  if (plan.requestEdits !== null) plan.requestEdits.apply(head.headers);
}

function editResponse(session: Session, plan: Plan): void {
  if (session.response !== null) plan.responseEdits?.apply(session.response.headers);
}

const plainText = { "Content-Type": "text/plain; charset=utf-8" };

/** What becomes of requests that no route takes; named for the access log. */
const unrouted = {
  "no-route": new Plan("no-route", {
    answer: new FixedAnswer(404, plainText, "404 Not Found\n"),
  }),
  "bad-path": new Plan("bad-path", {
    answer: new FixedAnswer(400, plainText, "400 Bad Request\n"),
  }),
} as const;
