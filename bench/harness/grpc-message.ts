import { frameMessage } from "../../src/grpc/message-frame.ts";

/** 100 bytes behind their frame's header: what is asked and what is answered in calls of gRPC. */
export const grpcMessage = frameMessage(new Uint8Array(100).fill(0x61));
