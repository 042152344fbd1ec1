import {
  type DescField,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  getOption,
  hasOption,
  toJson,
} from "@bufbuild/protobuf";
import { resolveFieldPath } from "./field-text.ts";
import { BadTemplate, type PathTemplate, parsePathTemplate } from "./path-template.ts";

/** One way in which a method of gRPC can be called by HTTP. */
export interface HttpBinding {
  readonly method: DescMethod;
  /** As in a request line; "*" for any. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** The fields of the template's variables, by their path. */
  readonly variables: ReadonlyMap<string, readonly DescField[]>;
  /** What the body is: the whole message, nothing, or one field; the rest comes from the query. */
  readonly body: "all" | "none" | DescField;
  /** The field that is the response's body; null for the whole message. */
  readonly responseBody: DescField | null;
}

/** Something in a descriptor set that cannot be served; the message names it. */
export class BadDescriptors extends Error {
  override readonly name = "BadDescriptors";
}

/** google.api.HttpRule in JSON. */
interface RuleJson {
  readonly get?: string;
  readonly put?: string;
  readonly post?: string;
  readonly delete?: string;
  readonly patch?: string;
  readonly custom?: { readonly kind?: string; readonly path?: string };
  readonly body?: string;
  readonly responseBody?: string;
  readonly additionalBindings?: readonly RuleJson[];
}

/** The bindings that a method's google.api.http option gives it; none without the option. */
export function bindingsOf(method: DescMethod, registry: FileRegistry): readonly HttpBinding[] {
  const option = registry.getExtension("google.api.http");
  if (option?.message === undefined || !hasOption(method, option)) return [];
  const rule = toJson(option.message, getOption(method, option) as never) as RuleJson;
  return [rule, ...(rule.additionalBindings ?? [])].map((one) => compile(method, one));
}

function compile(method: DescMethod, rule: RuleJson): HttpBinding {
  const name = `${method.parent.typeName}.${method.name}`;
  const [httpMethod, path] = patternOf(rule);
  if (path === "") throw new BadDescriptors(`${name}: a google.api.http rule without a path`);
  const template = parsed(name, path);
  const variables = new Map<string, readonly DescField[]>();
  for (const { fieldPath } of template.variables) {
    const fields = resolveFieldPath(method.input, fieldPath);
    if (fields === null || fields.at(-1)?.fieldKind === "list") {
      throw new BadDescriptors(`${name}: no single field ${fieldPath} in ${method.input.typeName}`);
    }
    variables.set(fieldPath, fields);
  }
  const responseBody = rule.responseBody ?? "";
  return {
    method,
    httpMethod,
    template,
    variables,
    body: bodyOf(name, method.input, rule.body ?? ""),
    responseBody: responseBody === "" ? null : fieldOf(name, method.output, responseBody),
  };
}

function patternOf(rule: RuleJson): readonly [method: string, path: string] {
  if (rule.custom !== undefined) return [rule.custom.kind ?? "*", rule.custom.path ?? ""];
  for (const method of ["get", "put", "post", "delete", "patch"] as const) {
    const path = rule[method];
    if (path !== undefined) return [method.toUpperCase(), path];
  }
  return ["", ""];
}

function parsed(name: string, path: string): PathTemplate {
  try {
    return parsePathTemplate(path);
  } catch (error) {
    if (error instanceof BadTemplate) throw new BadDescriptors(`${name}: ${error.message}`);
    throw error;
  }
}

function bodyOf(name: string, input: DescMessage, body: string): HttpBinding["body"] {
  if (body === "") return "none";
  return body === "*" ? "all" : fieldOf(name, input, body);
}

function fieldOf(name: string, message: DescMessage, field: string): DescField {
  const found = message.fields.find((one) => one.name === field);
  if (found === undefined)
    throw new BadDescriptors(`${name}: no field ${field} in ${message.typeName}`);
  return found;
}
