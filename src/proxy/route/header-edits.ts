import type { HeaderEdits } from "./settings.ts";

/** What can be edited: a section of fields. */
export interface EditableFields {
  set(name: string, value: string): void;
  append(name: string, value: string): void;
  delete(name: string): boolean;
}

/** Header edits, compiled: remove, then set, then add. */
export class HeaderEditor {
  readonly #remove: readonly string[];
  readonly #set: readonly (readonly [string, string])[];
  readonly #add: readonly (readonly [string, string])[];

  constructor(edits: HeaderEdits) {
    this.#remove = edits.remove;
    this.#set = Object.entries(edits.set);
    this.#add = Object.entries(edits.add);
  }

  apply(fields: EditableFields): void {
    for (let i = 0; i < this.#remove.length; i++) fields.delete(this.#remove[i]!);
    for (let i = 0; i < this.#set.length; i++) fields.set(this.#set[i]![0], this.#set[i]![1]);
    for (let i = 0; i < this.#add.length; i++) fields.append(this.#add[i]![0], this.#add[i]![1]);
  }
}

/** The fields of a fixed answer after its route's edits; several lines of a name become one list. */
export function editedHeaders(
  headers: Readonly<Record<string, string>>,
  edits: HeaderEdits | null,
): Readonly<Record<string, string>> {
  const fields = new Map<string, [name: string, value: string]>();
  const set = (name: string, value: string) => void fields.set(name.toLowerCase(), [name, value]);
  for (const [name, value] of Object.entries(headers)) set(name, value);
  if (edits !== null) {
    new HeaderEditor(edits).apply({
      set,
      append: (name, value) => {
        const before = fields.get(name.toLowerCase());
        set(name, before === undefined ? value : `${before[1]}, ${value}`);
      },
      delete: (name) => fields.delete(name.toLowerCase()),
    });
  }
  return Object.fromEntries(fields.values());
}
