/**
 * `createServer` of node:http, fetched without an import: importing a built-in module reads each of its
 * exports, and one of them loads Node's whole fetch implementation, 8 MB that nothing here needs.
 */
export const { createServer } = process.getBuiltinModule("node:http");
