/** The entry `millrace/drivers/simulation`: networks of stacks in virtual time, from one seed. */
export { LinkCapture } from "./capture.ts";
export type { Channel, ChannelCounters } from "./channel.ts";
export { CALM, type LinkConditions } from "./conditions.ts";
export { FULL_OFFLOAD, SimulatedDevice, type SimulatedDeviceOptions } from "./device.ts";
export type { Attachment, HostOptions, SimulatedHost } from "./host.ts";
export type { Direction, SimulatedLink } from "./link.ts";
export { Network, type NetworkOptions, type Until } from "./network.ts";
export type { SimulatedSegment } from "./segment.ts";
