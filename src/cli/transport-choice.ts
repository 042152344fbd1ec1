import type { DriverChoice } from "../config/effective.ts";
import type { Transport } from "../core/transport.ts";
import type { StackSpec } from "./stack-spec.ts";
import type { Driver } from "./worker-protocol.ts";

export interface DriverDecision {
  readonly driver: Driver;
  /** Why it is not epoll, where "auto" fell back; null otherwise. */
  readonly fallback: string | null;
}

/** Why a driver that was asked for by name cannot be had. */
export class DriverUnavailable extends Error {
  override readonly name = "DriverUnavailable";
}

/** Settles "auto". Throws DriverUnavailable when "epoll" was asked for and cannot be had. */
export async function chooseDriver(choice: DriverChoice): Promise<DriverDecision> {
  if (choice === "node") return { driver: "node", fallback: null };
  const { nativeAvailable } = await import("../native/libc.ts");
  const reason = nativeAvailable();
  if (reason === null) return { driver: "epoll", fallback: null };
  if (choice === "epoll") throw new DriverUnavailable(reason);
  return { driver: "node", fallback: reason };
}

/**
 * Makes a worker's transport; `onFault` hears of exceptions that handlers let escape. `descriptors`:
 * memory of a `DescriptorLog`, for drivers whose sockets do not end with their thread.
 */
export async function openTransport(
  driver: Driver,
  stack: StackSpec | null,
  descriptors: SharedArrayBuffer,
  onFault: (error: unknown) => void,
): Promise<Transport> {
  if (stack !== null) {
    const { openStackTransport } = await import("./stack-driver.ts");
    const { DescriptorLog } = await import("../native/descriptor-log.ts");
    return openStackTransport(stack, new DescriptorLog(descriptors), onFault);
  }
  if (driver === "epoll") {
    const { createEpollTransport } = await import("../drivers/epoll/transport.ts");
    const { DescriptorLog } = await import("../native/descriptor-log.ts");
    return createEpollTransport({ onFault, descriptors: new DescriptorLog(descriptors) });
  }
  const { createNodeTransport } = await import("../drivers/node/transport.ts");
  return createNodeTransport({ onFault });
}
