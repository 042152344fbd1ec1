/** The entry `millrace/core`: time, randomness, errors, addresses and the interfaces of transports. */
export {
  formatSocketAddress,
  type IpAddress,
  isLoopback,
  parseIp,
  parseSocketAddress,
  type SocketAddress,
  sameAddress,
} from "./address.ts";
export { type ErrorCode, type ErrorSource, NetError, type Retry } from "./errors.ts";
export { type Rng, SeededRng } from "./random.ts";
export {
  after,
  type Clock,
  type Duration,
  elapsed,
  type Instant,
  instant,
  micros,
  millis,
  seconds,
  toMillis,
} from "./time.ts";
export { TimerWheel } from "./timer-wheel.ts";
export type {
  Acceptor,
  ByteSink,
  ConnectHandler,
  ConnectOptions,
  Listener,
  ListenOptions,
  Stream,
  StreamHandler,
  Timer,
  Timers,
  TimerTarget,
  Transport,
  TurnTarget,
} from "./transport.ts";
