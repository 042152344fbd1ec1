/**
 * A server of gRPC to put the proxy in front of, with grpc.health.v1:
 *
 *     npm run -s example -- examples/grpc/greeter-server.ts        on 127.0.0.1:50051, or `APP`
 */
import { readFileSync } from "node:fs";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";

interface GreetRequest {
  readonly name: string;
  readonly times: number;
}

interface Greeting {
  readonly text: string;
}

const set = loadFileDescriptorSetFromBuffer(
  readFileSync(new URL("greeter.pb", import.meta.url)),
  // Numbers that are not there are 0.
  { defaults: true },
);
const server = new Server();

server.addService(set["greeter.v1.Greeter"] as ServiceDefinition, {
  Greet(call: ServerUnaryCall<GreetRequest, Greeting>, done: sendUnaryData<Greeting>): void {
    const { name } = call.request;
    if (name === "nobody") done({ code: status.NOT_FOUND, details: "nobody is here" }, null);
    else done(null, { text: `Hello, ${name}` });
  },
  GreetOften(call: ServerWritableStream<GreetRequest, Greeting>): void {
    const { name, times } = call.request;
    for (let i = 1; i <= Math.min(times, 100); i++) call.write({ text: `Hello, ${name}, ${i}` });
    call.end();
  },
});

/** HealthCheckResponse { status: SERVING }. */
const serving = Buffer.from([0x08, 1]);
const bytes = (message: Buffer): Buffer => message;
server.addService(
  {
    check: {
      path: "/grpc.health.v1.Health/Check",
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  },
  {
    check: (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void =>
      done(null, serving),
  },
);

const address = process.env.APP ?? "127.0.0.1:50051";
server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  process.stdout.write(`greeter listens on ${address}\n`);
});
