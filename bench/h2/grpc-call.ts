import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { join } from "node:path";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { grpcMessage } from "../harness/grpc-message.ts";

let file: string | null = null;

/** The file that h2load posts. */
export function messageFile(): string {
  if (file === null) {
    file = join(temporaryFolder("bench-grpc"), "message");
    writeFileSync(file, grpcMessage);
  }
  return file;
}

/** Calls once, and throws unless that ends well: h2load looks at no trailers. */
export async function checkCall(port: number, path: string): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let trailers: IncomingHttpHeaders = {};
    let length = 0;
    stream.on("trailers", (fields) => {
      trailers = fields;
    });
    stream.on("data", (piece: Buffer) => {
      length += piece.length;
    });
    stream.end(grpcMessage);
    await once(stream, "end");
    if (trailers["grpc-status"] !== "0" || length !== grpcMessage.length) {
      throw new Error(`a call through port ${port} failed: ${JSON.stringify(trailers)}`);
    }
  } finally {
    session.destroy();
  }
}
