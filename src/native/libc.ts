import { createRequire } from "node:module";

/**
 * The C functions that Millrace calls, typed. Conventions:
 * - A pointer is a JavaScript number: the address of memory that a `PinnedMemory` (or another object
 *   alive for the length of the call) owns. No function here keeps a pointer after it returned.
 * - A result of -1 means failure; `errno()` then tells why, if it is read before the next call.
 * - Addresses in user space have at most 52 bits on x64 and arm64, so a number holds them exactly.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: number, length: number, flags: number): number;
  connect(fd: number, address: number, length: number): number;
  recv(fd: number, memory: number, length: number, flags: number): number;
  send(fd: number, memory: number, length: number, flags: number): number;
  sendmsg(fd: number, message: number, flags: number): number;
  shutdown(fd: number, how: number): number;
  setsockopt(fd: number, level: number, name: number, value: number, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: number, length: number): number;
  getsockname(fd: number, address: number, length: number): number;
  getpeername(fd: number, address: number, length: number): number;
  close(fd: number): number;
  open(path: string, flags: number): number;
  /** `argument`: a pointer, or for some requests the value itself. */
  ioctl(fd: number, request: number, argument: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  read(fd: number, memory: number, length: number): number;
  write(fd: number, memory: number, length: number): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epfd: number, operation: number, fd: number, event: number): number;
  epoll_wait(epfd: number, events: number, capacity: number, timeout: number): number;
}

/** What koffi offers and this folder uses (its own typings are all `any`). */
interface Koffi {
  load(path: string | null): { func(prototype: string): unknown };
  address(memory: ArrayBufferView): bigint;
  view(pointer: unknown, length: number): ArrayBuffer;
  proto(prototype: string): object;
  pointer(type: object): object;
  register(callback: (...values: never[]) => unknown, type: object): bigint;
  node: {
    poll(
      fd: number,
      options: { readable: boolean },
      callback: (status: number, events: object) => void,
    ): NativePoll;
  };
}

/** koffi's wrapper of a uv_poll_t. After `close` any call but `close` crashes the process. */
export interface NativePoll {
  start(options: { readable: boolean }, callback: (status: number, events: object) => void): void;
  stop(): void;
  close(): void;
  ref(): void;
  unref(): void;
}

const PROTOTYPES: Record<keyof Libc, string> = {
  socket: "int socket(int, int, int)",
  bind: "int bind(int, uintptr_t, uint32_t)",
  listen: "int listen(int, int)",
  accept4: "int accept4(int, uintptr_t, uintptr_t, int)",
  connect: "int connect(int, uintptr_t, uint32_t)",
  recv: "int64_t recv(int, uintptr_t, size_t, int)",
  send: "int64_t send(int, uintptr_t, size_t, int)",
  sendmsg: "int64_t sendmsg(int, uintptr_t, int)",
  shutdown: "int shutdown(int, int)",
  setsockopt: "int setsockopt(int, int, int, uintptr_t, uint32_t)",
  getsockopt: "int getsockopt(int, int, int, uintptr_t, uintptr_t)",
  getsockname: "int getsockname(int, uintptr_t, uintptr_t)",
  getpeername: "int getpeername(int, uintptr_t, uintptr_t)",
  close: "int close(int)",
  // Variadic in C; on x64 and on Linux's arm64 the arguments lie where those of a plain function do.
  open: "int open(str, int)",
  ioctl: "int ioctl(int, unsigned long, uintptr_t)",
  fcntl: "int fcntl(int, int, uintptr_t)",
  read: "int64_t read(int, uintptr_t, size_t)",
  write: "int64_t write(int, uintptr_t, size_t)",
  epoll_create1: "int epoll_create1(int)",
  epoll_ctl: "int epoll_ctl(int, int, int, uintptr_t)",
  epoll_wait: "int epoll_wait(int, uintptr_t, int, int)",
};

// dlfcn.h
const RTLD_LAZY = 0x1;
const RTLD_NODELETE = 0x1000;

interface Loaded {
  readonly koffi: Koffi;
  readonly libc: Libc;
  /**
   * The thread's errno. Its address is fixed for the life of the thread, and this module is loaded
   * once per thread, so the view never outlives the memory. A read costs 3 ns, `koffi.errno()` 18.
   */
  readonly errno: Int32Array;
}

let loaded: Loaded | undefined;
let refusal: string | null | undefined;

/** Why the FFI cannot be used here, as words for a user; null when it can. Never throws. */
export function nativeAvailable(): string | null {
  if (refusal === undefined) refusal = tryLoad();
  return refusal;
}

/** The functions. Throws where `nativeAvailable()` is not null. */
export const libc = (): Libc => native().libc;

/** The error number of the call before, on this thread. */
export const errno = (): number => native().errno[0]!;

/** The address of the first byte of a view. The memory stays its owner's. */
export const addressOf = (memory: ArrayBufferView): number =>
  Number(native().koffi.address(memory));

/** A function that not every libc has; null where it is missing. For `heap.ts`. */
export function optionalFunction(prototype: string): unknown {
  try {
    return native().koffi.load(null).func(prototype);
  } catch {
    return null;
  }
}

/** Functions of the libraries in this process, by their prototypes. Throws where one is missing. */
export function nativeFunctions(prototypes: Readonly<Record<string, string>>): object {
  const library = native().koffi.load(null);
  const entries = Object.entries(prototypes);
  return Object.fromEntries(entries.map(([name, prototype]) => [name, library.func(prototype)]));
}

/**
 * The address of a C function that calls `callback`, good for the life of the thread. C may call it on
 * this thread alone, from inside of a call that we made. An exception in it is lost: catch within.
 */
export function nativeCallback(
  prototype: string,
  callback: (...values: never[]) => unknown,
): number {
  const { koffi } = native();
  return Number(koffi.register(callback, koffi.pointer(koffi.proto(prototype))));
}

/**
 * Memory that native code owns, as bytes. It must outlive every use of the result, and the same address
 * must not be viewed twice.
 */
export const viewOf = (address: number, length: number): ArrayBuffer =>
  native().koffi.view(address, length);

/** For `poll.ts` alone. */
export const nativePoll = (
  fd: number,
  callback: (status: number, events: object) => void,
): NativePoll => native().koffi.node.poll(fd, { readable: true }, callback);

function native(): Loaded {
  const reason = nativeAvailable();
  if (loaded === undefined) throw new Error(`native functions are not available: ${reason}`);
  return loaded;
}

function tryLoad(): string | null {
  const { platform, arch } = process;
  if (platform !== "linux") return `it needs Linux, this is ${platform}`;
  if (arch !== "x64" && arch !== "arm64") return `it needs x64 or arm64, this is ${arch}`;
  try {
    loaded = load();
    return null;
  } catch (error) {
    return `koffi cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Keeps koffi's shared object mapped for the life of the process. A worker thread that is terminated,
 * or runs out of memory, unloads its addons, and closes libuv's handles only after that: the close
 * callback of a poll lies in koffi, and would be called where nothing is mapped any more.
 */
function pin(library: ReturnType<Koffi["load"]>, modules: readonly string[]): void {
  const path = modules.find((name) => name.endsWith("koffi.node"));
  if (path === undefined) return;
  const dlopen = library.func("void *dlopen(str, int)") as (file: string, mode: number) => unknown;
  dlopen(path, RTLD_LAZY | RTLD_NODELETE);
}

function load(): Loaded {
  const require = createRequire(import.meta.url);
  const koffi: Koffi = require("koffi");
  // null: the symbols that the Node binary itself has or has linked, that is its own libc.
  const library = koffi.load(null);
  pin(library, Object.keys(require.cache));
  const functions: Record<string, unknown> = {};
  for (const [name, prototype] of Object.entries(PROTOTYPES)) {
    functions[name] = library.func(prototype);
  }
  const location = library.func("void *__errno_location()") as () => unknown;
  return {
    koffi,
    libc: functions as unknown as Libc,
    errno: new Int32Array(koffi.view(location(), 4)),
  };
}
