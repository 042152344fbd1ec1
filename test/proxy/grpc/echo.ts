import {
  Client,
  credentials,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
  type sendUnaryData,
} from "@grpc/grpc-js";

const same = (bytes: Buffer): Buffer => bytes;

const method = (
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});

/** A service whose messages are bytes, with a method of each kind. */
export const echoService = {
  unary: method("Unary", false, false),
  clientStream: method("ClientStream", true, false),
  serverStream: method("ServerStream", false, true),
  bidi: method("Bidi", true, true),
};

/** What the server saw of its calls. */
export interface Seen {
  metadata: Metadata | null;
  /** Milliseconds that the deadline left when the call came. */
  left: number;
  cancelled: number;
}

/**
 * A server of @grpc/grpc-js. The request's metadata says what becomes of the call: `x-fail: CODE` fails it
 * (for streams after the first message), `x-hang: 1` leaves it unanswered.
 */
export class EchoServer implements AsyncDisposable {
  readonly port: number;
  readonly seen: Seen = { metadata: null, left: Number.POSITIVE_INFINITY, cancelled: 0 };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = 0;
  }

  /** With a key and a certificate in PEM it speaks TLS. */
  static async start(tls?: {
    readonly key: string;
    readonly certificate: string;
  }): Promise<EchoServer> {
    const server = new Server({
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
    });
    const echo = new EchoServer(server);
    server.addService(echoService, {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
        echo.#unary(call, done),
      clientStream: (call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
        echo.#clientStream(call, done),
      serverStream: (call: ServerWritableStream<Buffer, Buffer>) => echo.#serverStream(call),
      bidi: (call: ServerDuplexStream<Buffer, Buffer>) => echo.#bidi(call),
    });
    const port = await new Promise<number>((resolve, reject) => {
      const secured =
        tls === undefined
          ? ServerCredentials.createInsecure()
          : ServerCredentials.createSsl(null, [
              { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) },
            ]);
      server.bindAsync("127.0.0.1:0", secured, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return Object.assign(echo, { port });
  }

  #see(call: {
    metadata: Metadata;
    getDeadline(): Date | number;
    on(event: "cancelled", on: () => void): unknown;
  }): { fail: number; hang: boolean } {
    this.seen.metadata = call.metadata;
    this.seen.left = Number(call.getDeadline()) - Date.now();
    call.on("cancelled", () => this.seen.cancelled++);
    const [fail] = call.metadata.get("x-fail");
    return { fail: Number(fail ?? 0), hang: call.metadata.get("x-hang").length > 0 };
  }

  #unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
    const { fail, hang } = this.#see(call);
    if (hang) return;
    const head = new Metadata();
    head.set("x-initial", "first");
    call.sendMetadata(head);
    if (fail > 0) done(failure(fail), null);
    else done(null, call.request, trailing());
  }

  #clientStream(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
    const { fail } = this.#see(call);
    const all: Buffer[] = [];
    call.on("data", (message: Buffer) => {
      all.push(message);
      if (fail > 0) done(failure(fail), null);
    });
    call.on("end", () => done(null, Buffer.concat(all), trailing()));
  }

  #serverStream(call: ServerWritableStream<Buffer, Buffer>): void {
    const { fail, hang } = this.#see(call);
    if (hang) return void call.write(call.request);
    const [times] = call.metadata.get("x-times");
    const count = Number(times ?? 3);
    let sent = 0;
    const more = (): void => {
      while (sent < count) {
        sent++;
        if (!call.write(call.request)) return void call.once("drain", more);
      }
      if (fail > 0) call.emit("error", failure(fail));
      else call.end(trailing());
    };
    more();
  }

  #bidi(call: ServerDuplexStream<Buffer, Buffer>): void {
    const { fail } = this.#see(call);
    call.on("data", (message: Buffer) => {
      call.write(message);
      if (fail > 0) call.emit("error", failure(fail));
    });
    call.on("end", () => call.end(trailing()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}

function trailing(): Metadata {
  const metadata = new Metadata();
  metadata.set("x-trailing", "last");
  metadata.set("x-trailing-bin", Buffer.from([0, 255]));
  return metadata;
}

const failure = (code: number): Partial<StatusObject> & Error =>
  Object.assign(new Error(`größer, 100%: ${code}`), {
    code,
    details: `größer, 100%: ${code}`,
    metadata: trailing(),
  });

export interface Outcome {
  readonly messages: readonly Buffer[];
  readonly code: number;
  readonly details: string;
  readonly head: Metadata | null;
  readonly trailers: Metadata;
}

export interface CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** A client of @grpc/grpc-js for the echo service. */
export class EchoClient implements Disposable {
  readonly client: Client;

  /** `ca`: authorities in PEM, where the server speaks TLS. */
  constructor(port: number, ca: string | null = null) {
    const secured =
      ca === null ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca));
    this.client = new Client(`127.0.0.1:${port}`, secured, {
      "grpc.max_receive_message_length": -1,
      "grpc.max_send_message_length": -1,
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
      // An IP address is no name for SNI.
      ...(ca !== null && { "grpc.ssl_target_name_override": "localhost" }),
    });
  }

  /** Opens a call of any kind; `outcome` settles with its status, never rejects. */
  open(kind: keyof typeof echoService, options: CallOptions = {}) {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
    const { path, requestSerialize, responseDeserialize } = echoService[kind];
    const deadline =
      options.timeout === undefined ? {} : { deadline: Date.now() + options.timeout };
    // Streams either way: unary calls look the same on the wire.
    const call = this.client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
      deadline,
    );
    const messages: Buffer[] = [];
    let head: Metadata | null = null;
    call.on("data", (message: Buffer) => messages.push(message));
    call.on("metadata", (fields: Metadata) => (head = fields));
    call.on("error", (_error: ServiceError) => {});
    const outcome = new Promise<Outcome>((resolve) => {
      call.on("status", ({ code, details, metadata }: StatusObject) =>
        resolve({ messages, code, details, head, trailers: metadata }),
      );
    });
    return { call, messages, outcome };
  }

  /** A whole call with these messages. */
  async ask(
    kind: keyof typeof echoService,
    messages: readonly Buffer[],
    options: CallOptions = {},
  ): Promise<Outcome> {
    const { call, outcome } = this.open(kind, options);
    for (const message of messages) call.write(message);
    call.end();
    return await outcome;
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
