/** What belongs to host names: exact ones, and `*.example.com` for one label more (RFC 9525 §6.3). */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the star, with its dot. */
  readonly #wildcards = new Map<string, T>();

  /** `pattern`: a name in lower case, or one that begins with "*.". */
  set(pattern: string, value: T): void {
    if (pattern.startsWith("*.")) this.#wildcards.set(pattern.slice(1), value);
    else this.#exact.set(pattern, value);
  }

  get(pattern: string): T | undefined {
    return pattern.startsWith("*.")
      ? this.#wildcards.get(pattern.slice(1))
      : this.#exact.get(pattern);
  }

  /** What a host's name finds: an exact one goes before a wildcard. */
  find(name: string): T | undefined {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    return dot > 0 ? this.#wildcards.get(name.slice(dot)) : undefined;
  }
}
