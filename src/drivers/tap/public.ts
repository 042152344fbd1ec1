/** The entry `millrace/drivers/tap`: a stack on TAP and TUN devices of Linux. */
export { TapDevice, type TapDeviceOptions } from "./device.ts";
export { TapHost, type TapHostOptions, type TapInterfaceOptions } from "./host.ts";
