/** One member of Sec-WebSocket-Extensions: an extension, or the offer of one. */
export interface Extension {
  readonly name: string;
  /** By name, in lower case; null for one without a value. */
  readonly params: ReadonlyMap<string, string | null>;
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const NAME = new RegExp(`[ \\t]*(${TOKEN})[ \\t]*`, "y");
// RFC 6455 §9.1: what is quoted must be a token, too.
const PARAM = new RegExp(
  `;[ \\t]*(${TOKEN})[ \\t]*(?:=[ \\t]*(?:(${TOKEN})|"(${TOKEN})")[ \\t]*)?`,
  "y",
);

/** The extensions of a field's value, in order; null when it is malformed or names a parameter twice. */
export function parseExtensions(value: string): readonly Extension[] | null {
  const list: Extension[] = [];
  let at = 0;
  for (;;) {
    NAME.lastIndex = at;
    const name = NAME.exec(value);
    if (name === null) return null;
    at = NAME.lastIndex;
    const params = new Map<string, string | null>();
    for (;;) {
      PARAM.lastIndex = at;
      const param = PARAM.exec(value);
      if (param === null) break;
      at = PARAM.lastIndex;
      const key = param[1]!.toLowerCase();
      if (params.has(key)) return null;
      params.set(key, param[2] ?? param[3] ?? null);
    }
    list.push({ name: name[1]!.toLowerCase(), params });
    if (at === value.length) return list;
    if (value[at] !== ",") return null;
    at++;
  }
}
