import { transportSuite } from "../testing/transport-suite.ts";
import { createNodeTransport } from "./transport.ts";

transportSuite("node", async () => createNodeTransport({ seed: 1, onFault() {} }));
