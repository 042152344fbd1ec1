/**
 * Calls the greeter through the proxy by gRPC, once and as a stream:
 *
 *     npm run -s example -- examples/grpc/greeter-client.ts NAME    at 127.0.0.1:8080, or `LISTEN`
 */
import { readFileSync } from "node:fs";
import {
  type ClientReadableStream,
  credentials,
  makeClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";

interface Greeting {
  readonly text: string;
}

const set = loadFileDescriptorSetFromBuffer(readFileSync(new URL("greeter.pb", import.meta.url)));
const Greeter = makeClientConstructor(set["greeter.v1.Greeter"] as ServiceDefinition, "Greeter");
const client = new Greeter(process.env.LISTEN ?? "127.0.0.1:8080", credentials.createInsecure());
const name = process.argv[2] ?? "Ada";
const deadline = Date.now() + 5_000;

client.Greet!({ name }, { deadline }, (error: ServiceError | null, greeting?: Greeting) => {
  process.stdout.write(`${error === null ? greeting?.text : error.message}\n`);
  const stream: ClientReadableStream<Greeting> = client.GreetOften!(
    { name, times: 3 },
    { deadline },
  );
  stream.on("data", ({ text }: Greeting) => process.stdout.write(`${text}\n`));
  stream.on("error", ({ message }: ServiceError) => process.stdout.write(`${message}\n`));
  stream.on("close", () => client.close());
});
