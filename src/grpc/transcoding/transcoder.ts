import {
  createFileRegistry,
  type DescMethod,
  type FileRegistry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { BadDescriptors, bindingsOf, type HttpBinding } from "./http-rule.ts";
import { type TranscodingOptions, transcodingDefaults } from "./options.ts";
import { type PathMatch, type PathMiss, PathTable } from "./path-table.ts";
import { type HttpInput, requestMessage } from "./request-message.ts";
import { type HttpOutput, responseOutput } from "./response-text.ts";
import { statusJson } from "./status-json.ts";

/**
 * Serves methods of gRPC as JSON over HTTP, by the google.api.http rules in a descriptor set:
 *
 *     protoc --include_imports --descriptor_set_out=api.pb api.proto
 *     buf build --as-file-descriptor-set -o api.pb
 */
export class Transcoder {
  readonly registry: FileRegistry;
  readonly options: TranscodingOptions;
  /** Methods that have rules and stream their requests: JSON has no form for that here. */
  readonly unsupported: readonly string[];
  readonly bindings: readonly HttpBinding[];
  readonly #table = new PathTable<HttpBinding>();

  /**
   * `descriptors`: a FileDescriptorSet. `services`: full names, or null for all in the set. Throws
   * BadDescriptors for what is no set, lacks an import or a service, or has rules that cannot be served.
   */
  constructor(
    descriptors: Uint8Array,
    services: readonly string[] | null = null,
    options: TranscodingOptions = transcodingDefaults,
  ) {
    this.registry = registryOf(descriptors);
    this.options = options;
    const methods = methodsOf(this.registry, services);
    const bindings = methods.flatMap((method) => bindingsOf(method, this.registry));
    this.bindings = bindings.filter(({ method }) => isServable(method));
    this.unsupported = [
      ...new Set(
        bindings.filter(({ method }) => !isServable(method)).map(({ method }) => nameOf(method)),
      ),
    ];
    for (const binding of this.bindings) {
      if (this.#table.add(binding.httpMethod, binding.template, binding)) continue;
      throw new BadDescriptors(
        `${nameOf(binding.method)}: ${binding.httpMethod} with this path leads to another method already`,
      );
    }
    if (this.bindings.length === 0) {
      throw new BadDescriptors(
        "no method has a google.api.http rule that can be served; was the set made with --include_imports?",
      );
    }
  }

  /** The method that a request calls; or by which HTTP methods its path could be. */
  find(httpMethod: string, path: string): PathMatch<HttpBinding> | PathMiss {
    return this.#table.find(httpMethod, path);
  }

  /** The message, without a frame. Throws BadRequest. */
  request(binding: HttpBinding, input: HttpInput): Uint8Array {
    return requestMessage(binding, input, this.registry, this.options.ignoreUnknown);
  }

  /** Throws on bytes that are no such message. */
  response(binding: HttpBinding, message: Uint8Array): HttpOutput {
    return responseOutput(binding, message, this.registry, this.options);
  }

  status(code: number, message: string, details: string | undefined): Uint8Array {
    return statusJson(code, message, details, this.registry);
  }
}

const isServable = ({ methodKind }: DescMethod): boolean =>
  methodKind === "unary" || methodKind === "server_streaming";

const nameOf = (method: DescMethod): string => `${method.parent.typeName}.${method.name}`;

function registryOf(descriptors: Uint8Array): FileRegistry {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadDescriptors(`not a descriptor set that is complete: ${why}`);
  }
}

function methodsOf(registry: FileRegistry, names: readonly string[] | null): readonly DescMethod[] {
  if (names === null) {
    return [...registry.files].flatMap((file) => file.services).flatMap(({ methods }) => methods);
  }
  return names.flatMap((name) => {
    const service = registry.getService(name);
    if (service === undefined) throw new BadDescriptors(`no service ${name} in the descriptor set`);
    return service.methods;
  });
}
