import { queryParameter } from "./query.ts";
import type { RouteMatch, ValueMatch } from "./settings.ts";

/** What of a request routes are chosen by; a `RequestHead` is one. */
export interface RoutableRequest {
  readonly method: string;
  readonly path: string;
  /** Without the "?". */
  readonly query: string;
  /** In lower case, without port. */
  readonly hostName: string;
  readonly headers: { get(name: string): string | undefined };
}

/** The conditions of a route beside host and path, compiled. */
export class Conditions {
  /** How many there are: a list of methods is one. */
  readonly count: number;
  readonly #methods: readonly string[];
  readonly #headers: readonly ValueTest[];
  readonly #query: readonly ValueTest[];

  constructor(match: RouteMatch) {
    this.#methods = match.methods;
    this.#headers = match.headers.map((condition) => new ValueTest(condition));
    this.#query = match.query.map((condition) => new ValueTest(condition));
    this.count = (this.#methods.length > 0 ? 1 : 0) + this.#headers.length + this.#query.length;
  }

  hold(request: RoutableRequest): boolean {
    if (this.count === 0) return true;
    if (this.#methods.length > 0 && !this.#methods.includes(request.method)) return false;
    for (let i = 0; i < this.#headers.length; i++) {
      const test = this.#headers[i]!;
      if (!test.holds(request.headers.get(test.name))) return false;
    }
    for (let i = 0; i < this.#query.length; i++) {
      const test = this.#query[i]!;
      if (!test.holds(queryParameter(request.query, test.name))) return false;
    }
    return true;
  }
}

class ValueTest {
  readonly name: string;
  readonly #kind: ValueMatch["kind"];
  readonly #values: readonly string[];

  constructor(condition: ValueMatch) {
    this.name = condition.name;
    this.#kind = condition.kind;
    if (condition.kind === "in") this.#values = condition.values;
    else this.#values = "value" in condition ? [condition.value] : [];
  }

  holds(value: string | undefined): boolean {
    switch (this.#kind) {
      case "present":
        return value !== undefined;
      case "absent":
        return value === undefined;
      case "prefix":
        return value?.startsWith(this.#values[0]!) === true;
      default:
        return value !== undefined && this.#values.includes(value);
    }
  }
}
