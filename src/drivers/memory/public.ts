/** The entry `millrace/drivers/memory`: a network in the process, under virtual time, from a seed. */
export { CALM, CHOPPY, type LinkConditions } from "./link.ts";
export { MemoryNetwork, type MemoryNetworkOptions } from "./network.ts";
