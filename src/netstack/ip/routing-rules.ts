import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import { type Prefix, prefixHasWords } from "../prefix.ts";
import { MAIN_TABLE } from "./route.ts";
import type { RouteQuery } from "./route-query.ts";

/** Which table to ask, by what a packet is like (as `ip rule`). Fields left out match everything. */
export interface Rule {
  /** Rules are asked from the lowest up; equal ones in the order in which they were added. */
  readonly priority: number;
  readonly source?: Prefix;
  readonly destination?: Prefix;
  /** Forwarded packets that came in there. Packets of this host have no incoming interface. */
  readonly incoming?: Interface;
  /** Look there; when it has no route, the next rule is asked. */
  readonly action: { readonly table: number } | "prohibit";
}

/** The rule that every stack starts with. */
export const MAIN_RULE: Rule = Object.freeze({
  priority: 32_766,
  action: Object.freeze({ table: MAIN_TABLE }),
});

/** The rules of a stack in the order in which they are asked; at most `limits.routes`. */
export class RoutingRules {
  readonly #context: StackContext;
  readonly #changed: () => void;
  readonly #rules: Rule[] = [MAIN_RULE];

  constructor(context: StackContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
  }

  get all(): readonly Rule[] {
    return this.#rules;
  }

  /** False: there are too many. */
  add(rule: Rule): boolean {
    const rules = this.#rules;
    if (rules.length >= this.#context.limits.routes) return false;
    let at = 0;
    while (at < rules.length && rules[at]!.priority <= rule.priority) at++;
    rules.splice(at, 0, rule);
    this.#tell("rule-added", rule);
    return true;
  }

  /** Takes away that very object; `MAIN_RULE`, too. */
  remove(rule: Rule): boolean {
    const at = this.#rules.indexOf(rule);
    if (at < 0) return false;
    this.#rules.splice(at, 1);
    this.#tell("rule-removed", rule);
    return true;
  }

  removeOf(incoming: Interface): void {
    for (const rule of [...this.#rules]) if (rule.incoming === incoming) this.remove(rule);
  }

  #tell(kind: "rule-added" | "rule-removed", { priority, action }: Rule): void {
    this.#changed();
    const table = action === "prohibit" ? -1 : action.table;
    this.#context.emit({ kind, priority, table });
  }
}

export function ruleMatches(rule: Rule, query: RouteQuery): boolean {
  const { source, destination, incoming } = rule;
  if (incoming !== undefined && incoming !== query.incoming) return false;
  if (source !== undefined) {
    if (!query.hasSource) return false;
    const { version, s0, s1, s2, s3 } = query;
    if (!prefixHasWords(source, version, s0, s1, s2, s3)) return false;
  }
  if (destination === undefined) return true;
  const { version, d0, d1, d2, d3 } = query;
  return prefixHasWords(destination, version, d0, d1, d2, d3);
}
