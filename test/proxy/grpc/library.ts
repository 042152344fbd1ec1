import { Buffer } from "node:buffer";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { libraryDescriptors } from "../../../src/grpc/testing/library-descriptors.ts";

interface Shelf {
  readonly name: string;
  readonly theme?: string;
  readonly book_count?: string;
}

type Unary<In, Out> = (call: ServerUnaryCall<In, Out>, done: sendUnaryData<Out>) => void;

/** The library of `library-descriptors.ts` on @grpc/grpc-js: "none" is not found, "hang" never answers. */
export class LibraryServer implements AsyncDisposable {
  readonly port: number = 0;
  calls = 0;
  cancelled = 0;
  metadata: Metadata | null = null;
  readonly #server = new Server();

  static async start(): Promise<LibraryServer> {
    const library = new LibraryServer();
    const loaded = loadFileDescriptorSetFromBuffer(Buffer.from(libraryDescriptors()), {
      keepCase: true,
      longs: String,
      enums: String,
    });
    const getShelf: Unary<{ name: string }, Shelf> = (call, done) => library.#shelf(call, done);
    const putShelf: Unary<{ shelf: Shelf }, Shelf> = (call, done) => {
      library.#see(call);
      done(null, call.request.shelf);
    };
    library.#server.addService(loaded["library.Library"] as ServiceDefinition, {
      GetShelf: getShelf,
      ArchiveShelf: getShelf,
      CreateShelf: putShelf,
      UpdateShelf: putShelf,
      ListShelves: ((call, done) => {
        library.#see(call);
        done(null, { shelves: [{ name: `${call.request.tags}` }], next: call.request.page_token });
      }) as Unary<{ tags: string[]; page_token: string }, object>,
      GetCover: ((call, done) => {
        library.#see(call);
        done(null, { content_type: "image/x", data: Buffer.from([1, 2, 3]) });
      }) as Unary<{ name: string }, object>,
      Search: (call: ServerWritableStream<{ query: string; count: number }, Shelf>) =>
        library.#search(call),
      Upload: () => {},
      Unbound: () => {},
    });
    const port = await new Promise<number>((resolve, reject) => {
      library.#server.bindAsync(
        "127.0.0.1:0",
        ServerCredentials.createInsecure(),
        (error, bound) => (error === null ? resolve(bound) : reject(error)),
      );
    });
    return Object.assign(library, { port });
  }

  #see(call: { metadata: Metadata; on(event: "cancelled", on: () => void): unknown }): void {
    this.calls++;
    this.metadata = call.metadata;
    call.on("cancelled", () => this.cancelled++);
  }

  #shelf(call: ServerUnaryCall<{ name: string }, Shelf>, done: sendUnaryData<Shelf>): void {
    this.#see(call);
    const { name } = call.request;
    if (name.endsWith("hang")) return;
    if (name.endsWith("none")) return done(notFound(), null);
    const head = new Metadata();
    head.set("x-initial", "first");
    call.sendMetadata(head);
    const trailers = new Metadata();
    trailers.set("x-trailing", "last");
    done(null, { name, theme: "sea", book_count: "3" }, trailers);
  }

  #search(call: ServerWritableStream<{ query: string; count: number }, Shelf>): void {
    this.#see(call);
    const { count, query } = call.request;
    for (let i = 1; i <= count; i++) call.write({ name: `${query} ${i}` });
    if (query === "hang") return;
    if (query === "fail") {
      const error = Object.assign(new Error("enough"), { code: status.ABORTED, details: "enough" });
      call.emit("error", error);
    } else call.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

const notFound = () =>
  Object.assign(new Error("none"), { code: status.NOT_FOUND, details: "kein Regal: größer, 100%" });
