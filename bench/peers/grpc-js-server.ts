/**
 * What one writes who forwards calls of gRPC with @grpc/grpc-js: a server whose method calls the same one of
 * the origin, messages as bytes. Run by grpc-js.ts: PORT ORIGIN-PORT.
 */
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";

const [port, originPort] = process.argv.slice(2);
const client = new Client(`127.0.0.1:${originPort}`, credentials.createInsecure());
const bytes = (message: Buffer): Buffer => message;

const unary = {
  path: "/bench.Echo/Unary",
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

const server = new Server();
server.addService(
  { unary },
  {
    unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void {
      const options = { deadline: call.getDeadline() };
      const { metadata, request } = call;
      client.makeUnaryRequest(
        unary.path,
        bytes,
        bytes,
        request,
        metadata,
        options,
        (error, answer) => (error === null ? done(null, answer ?? null) : done(error, null)),
      );
    },
  },
);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
