import { seconds } from "../../core/time.ts";
import type { TcpSettings } from "../tcp/settings.ts";

type KeepAlive = NonNullable<TcpSettings["keepAlive"]>;

/** What Linux does where no delay is given (RFC 9293 §3.8.4: at least two hours). */
const DEFAULT: KeepAlive = { idle: seconds(7_200), interval: seconds(75), probes: 9 };

/** `initialDelay`: milliseconds, of which whole seconds count; then libuv asks for a probe a second. */
export function keepAliveAfter(initialDelay: number): KeepAlive {
  const delay = Math.trunc(initialDelay / 1_000);
  return delay > 0 ? { idle: seconds(delay), interval: seconds(1), probes: 10 } : DEFAULT;
}
