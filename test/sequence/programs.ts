import { bytesOf } from "../../src/core/bytes.ts";
import { after } from "../../src/core/time.ts";
import type { Transport } from "../../src/core/transport.ts";
import type {
  BodyVerdict,
  MaybePromise,
  ProxyProgram,
  RequestVerdict,
} from "../../src/proxy/program.ts";
import type { Session } from "../../src/proxy/session-api.ts";
import { masked } from "./content.ts";
import type { Draw } from "./draw.ts";
import { localContent, requestMask, responseMask } from "./messages.ts";
import type { Filtering, Phase, RequestPlan, Scenario } from "./scenario.ts";

/** What a filter puts behind the last byte. */
export const tail = bytesOf("<end>");

/** One request's own state, as hooks have it. */
export interface Context {
  readonly request: RequestPlan | null;
  readonly requestPieces: Uint8Array[];
  readonly responsePieces: Uint8Array[];
  logged: number;
}

/** A program as a scenario wants it, and what it saw of itself. */
export class ScenarioProgram {
  readonly contexts: Context[] = [];
  /** How often a hook threw. */
  thrown = 0;
  private readonly scenario: Scenario;
  private readonly transport: Transport;
  private readonly draw: Draw;

  constructor(scenario: Scenario, transport: Transport, draw: Draw) {
    this.scenario = scenario;
    this.transport = transport;
    this.draw = draw;
  }

  program(): ProxyProgram<Context> {
    const { style, requestBody, responseBody, passes } = this.scenario.program;
    if (style === "none") return { upstreamPeer: () => "origin" };
    const passing = (ctx: Context) =>
      passes && ctx.request !== null && passesBody(ctx.request) ? "pass-body" : "continue";
    const step = (phase: Phase) => (session: Session, ctx: Context) =>
      this.run(phase, session, ctx, () => undefined);
    return {
      newContext: (session) => this.newContext(session),
      earlyRequestFilter: (session, ctx) => this.verdict("earlyRequestFilter", session, ctx),
      requestFilter: (session, ctx) => this.verdict("requestFilter", session, ctx),
      upstreamPeer: (session, ctx) => this.run("upstreamPeer", session, ctx, () => "origin"),
      connectedToUpstream: step("connectedToUpstream"),
      upstreamRequestFilter: (session, ctx) =>
        this.run("upstreamRequestFilter", session, ctx, () => {
          session.upstreamRequest.headers.set("X-Hop", "1");
          return passing(ctx);
        }),
      upstreamResponseFilter: step("upstreamResponseFilter"),
      responseFilter: (session, ctx) =>
        this.run("responseFilter", session, ctx, () => {
          session.response?.headers.set("X-Filtered", "1");
          return passing(ctx);
        }),
      responseTrailerFilter: step("responseTrailerFilter"),
      failToProxy: (session, _error, ctx) => this.verdict("failToProxy", session, ctx),
      logging: (_session, ctx) => this.logging(ctx),
      ...(requestBody !== "none" && {
        requestBodyFilter: (
          session: Session,
          piece: Uint8Array | null,
          end: boolean,
          ctx: Context,
        ) =>
          this.run("requestBodyFilter", session, ctx, () =>
            filter(requestBody, ctx.requestPieces, requestMask, piece, end),
          ),
      }),
      ...(responseBody !== "none" && {
        responseBodyFilter: (
          session: Session,
          piece: Uint8Array | null,
          end: boolean,
          ctx: Context,
        ) =>
          this.run("responseBodyFilter", session, ctx, () =>
            filter(responseBody, ctx.responsePieces, responseMask, piece, end),
          ),
      }),
    };
  }

  private newContext(session: Session): Context {
    const request = this.scenario.requests.get(session.request.path.slice(1)) ?? null;
    const ctx: Context = { request, requestPieces: [], responsePieces: [], logged: 0 };
    this.throwIfTold("newContext", ctx);
    this.contexts.push(ctx);
    return ctx;
  }

  private logging(ctx: Context): void {
    ctx.logged++;
    this.throwIfTold("logging", ctx);
  }

  private verdict(phase: Phase, session: Session, ctx: Context): MaybePromise<RequestVerdict> {
    return this.run(phase, session, ctx, () => undefined);
  }

  /** A hook: throws or answers where the request's plan says so, now or after a while. */
  private run<T>(phase: Phase, session: Session, ctx: Context, value: () => T): MaybePromise<T> {
    const { draw, transport } = this;
    if (this.scenario.program.style === "plain" || draw.chance(0.5)) {
      return this.act(phase, session, ctx, value);
    }
    if (draw.chance(0.5)) {
      return Promise.resolve().then(() => this.act(phase, session, ctx, value));
    }
    // Long enough for things to happen meanwhile; for each piece of a body it would add up.
    const perPiece = phase === "requestBodyFilter" || phase === "responseBodyFilter";
    const wait = draw.millis(0, !perPiece && draw.chance(0.3) ? 400 : 60);
    return new Promise((resolve, reject) => {
      const onTimer = (): void => {
        try {
          resolve(this.act(phase, session, ctx, value));
        } catch (error) {
          reject(error);
        }
      };
      transport.schedule({ onTimer }, after(transport.now(), wait));
    });
  }

  private act<T>(phase: Phase, session: Session, ctx: Context, value: () => T): T {
    this.throwIfTold(phase, ctx);
    const { request } = ctx;
    // After a wait the request may be over, and its session another's: `respond` says so by throwing.
    if (
      request?.hook?.phase === phase &&
      request.hook.does === "answer" &&
      isOf(session, request)
    ) {
      try {
        session.respond(200, { "X-Local": phase }, localContent(request));
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
    return value();
  }

  private throwIfTold(phase: Phase, { request }: Context): void {
    if (request?.hook?.phase !== phase || request.hook.does !== "throw") return;
    this.thrown++;
    throw new Error("as planned");
  }
}

/** Bodies of these requests go by unfiltered, where a program has such. */
export const passesBody = ({ size, id }: RequestPlan): boolean => (size + id.length) % 3 === 0;

const isOf = (session: Session, request: RequestPlan): boolean =>
  session.request.path === `/${request.id}`;

function filter(
  filtering: Filtering,
  kept: Uint8Array[],
  mask: number,
  piece: Uint8Array | null,
  end: boolean,
): BodyVerdict {
  if (filtering === "gather") {
    if (piece !== null) kept.push(piece);
    return end ? masked(Buffer.concat([...kept, tail]), mask) : null;
  }
  if (piece === null) return end ? masked(tail, mask) : undefined;
  return masked(end ? Buffer.concat([piece, tail]) : piece, mask);
}
