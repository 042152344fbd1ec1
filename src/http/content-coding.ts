/**
 * Which content coding a client is served (RFC 9110 §12.5.3). Names are compared in lower case, and
 * "x-gzip" is gzip (§8.4.1.3).
 */
export class AcceptedCodings {
  /** Weights in thousandths by coding; what is not listed falls to "*". */
  readonly #weights = new Map<string, number>();
  /** `header`: the field's value, lines joined; undefined where there is none. */
  constructor(header: string | undefined) {
    for (const member of header?.split(",") ?? []) {
      const [name = "", ...parameters] = member.split(";");
      const coding = codingName(name);
      // Of a coding that is named twice, the first holds.
      if (coding !== "" && !this.#weights.has(coding)) {
        this.#weights.set(coding, weightOf(parameters));
      }
    }
  }

  /** The weight that the client gives to a coding, 0 – 1000; 0: not acceptable, or not spoken of. */
  weight(coding: string): number {
    return this.#weights.get(coding) ?? this.#weights.get("*") ?? 0;
  }

  /**
   * The weight of no coding at all: acceptable unless refused by name or by "*" (§12.5.3 rule 2). Without
   * a word about it, below everything that is asked for.
   */
  get identity(): number {
    return this.#weights.get("identity") ?? (this.#weights.get("*") === 0 ? 0 : 1);
  }

  /**
   * Of the codings on offer, in the server's order of preference, the one that the client likes best;
   * null for none: nothing on offer is acceptable, or the client likes the plain form better.
   */
  choose<C extends string>(offered: readonly C[]): C | null {
    let best: C | null = null;
    let bestWeight = 0;
    for (const coding of offered) {
      const weight = this.weight(coding);
      if (weight <= bestWeight) continue;
      best = coding;
      bestWeight = weight;
    }
    const plain = this.#weights.get("identity") ?? 0;
    return plain > bestWeight ? null : best;
  }
}

/** A coding's name in one spelling; "" for none. */
export function codingName(text: string): string {
  const name = text.trim().toLowerCase();
  return name === "x-gzip" ? "gzip" : name;
}

/** RFC 9110 §12.4.2: 0 to 1 with at most three decimals. What is none counts as a refusal. */
function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const found = /^[ \t]*q=(.*?)[ \t]*$/i.exec(parameter);
    if (found === null) continue;
    const text = found[1]!;
    return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Math.round(Number(text) * 1000) : 0;
  }
  return 1000;
}
