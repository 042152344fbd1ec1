/** The entry `millrace/drivers/node`. */
export { createNodeTransport, NodeTransport, type NodeTransportOptions } from "./transport.ts";
