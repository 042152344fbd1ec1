import { masked } from "./content.ts";
import {
  answerContent,
  greeting,
  hasBody,
  localContent,
  requestContent,
  requestMask,
  responseMask,
  tunnelContent,
  tunnelMask,
} from "./messages.ts";
import { passesBody, tail } from "./programs.ts";
import type { Behaviour, ProgramPlan, RequestPlan } from "./scenario.ts";

const nothing = new Uint8Array(0);

/** The body that an origin must see of a request. */
export function bodyAtOrigin(request: RequestPlan, program: ProgramPlan): Uint8Array {
  const content = requestContent(request);
  const filtered =
    program.requestBody !== "none" && request.framing !== "none" && !leftAlone(request, program);
  if (!filtered) return content;
  return masked(Buffer.concat([content, tail]), requestMask);
}

/** The body that the client must see of an origin's answer to this arrival. */
export function bodyAtClient(
  request: RequestPlan,
  arrival: number,
  plan: Behaviour,
  program: ProgramPlan,
): Uint8Array {
  if (!hasBody(request.method, plan.status)) return nothing;
  const content = answerContent(request, arrival, plan.size);
  if (program.responseBody === "none" || leftAlone(request, program)) return content;
  return masked(Buffer.concat([content, tail]), responseMask);
}

/** The body of a hook's own answer. */
export const localBody = (request: RequestPlan): Uint8Array =>
  request.method === "HEAD" ? nothing : localContent(request);

/** All that comes back through a tunnel that nobody broke. */
export const tunnelBody = (request: RequestPlan): Uint8Array =>
  Buffer.concat([greeting(request), masked(tunnelContent(request), tunnelMask)]);

const leftAlone = (request: RequestPlan, program: ProgramPlan): boolean =>
  program.passes && passesBody(request);

export const isPrefix = (part: Uint8Array, whole: Uint8Array): boolean =>
  part.length <= whole.length && Buffer.compare(part, whole.subarray(0, part.length)) === 0;
