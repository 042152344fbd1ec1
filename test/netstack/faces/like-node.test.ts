import type { EventEmitter } from "node:events";
import net from "node:net";
import type { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { Network } from "../../../src/drivers/simulation/public.ts";
import { nodeNet } from "../../../src/netstack/node/public.ts";

// The same program on Node's sockets, over the kernel's loopback, and on ours, over a stack's.

/** What both have, and the programs use. */
interface Socket extends Duplex {
  readonly connecting: boolean;
  readonly readyState: string;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly remoteFamily?: string | undefined;
  readonly timeout?: number | undefined;
  setTimeout(timeout: number, listener?: () => void): this;
  destroySoon(): void;
  resetAndDestroy(): this;
}

interface Server extends EventEmitter {
  listen(options: { port: number; host: string }, listener: () => void): this;
  address(): unknown;
  close(callback?: (error?: Error) => void): this;
}

interface Sockets {
  connect(options: { port: number; host: string; allowHalfOpen?: boolean }): Socket;
  createServer(options: { allowHalfOpen?: boolean }, listener: (socket: Socket) => void): Server;
}

/** What each side saw, in order. */
type Trace = Record<string, string[]>;

const EVENTS = ["connect", "ready", "end", "finish", "drain", "timeout", "error", "close"];

function record(trace: Trace, name: string, socket: Socket): Socket {
  const lines: string[] = [];
  trace[name] = lines;
  for (const event of EVENTS) {
    socket.on(event, (value: unknown) => {
      const told = value instanceof Error ? describeError(value) : String(value ?? "");
      lines.push(`${event} ${told} ${socket.readyState} ${socket.connecting}`);
    });
  }
  return socket;
}

function count(lines: string[], socket: Socket): void {
  socket.on("close", () => lines.push(`${socket.bytesRead} read, ${socket.bytesWritten} written`));
}

const describeError = (error: Error & { code?: string; syscall?: string; errno?: number }) =>
  `${error.message.replaceAll(/\d{4,5}/g, "PORT")} ${error.code} ${error.syscall} ${error.errno}`;

/** A program: sets up both sides; over when both have closed. */
interface Program {
  readonly clientHalfOpen?: boolean;
  readonly serverHalfOpen?: boolean;
  client(socket: Socket, trace: string[]): void;
  server(socket: Socket, trace: string[]): void;
}

const programs: Record<string, Program> = {
  "the client asks and ends, the server answers and ends": {
    serverHalfOpen: true,
    client: (socket) => socket.resume().end("question"),
    server: (socket) => socket.on("end", () => socket.end("answer")).resume(),
  },
  "the client ends, the server does not allow half-open": {
    client: (socket) => socket.resume().end("bye"),
    server: (socket) => void socket.resume(),
  },
  "the server ends first, the client goes on, half-open": {
    clientHalfOpen: true,
    client: (socket) => socket.on("end", () => socket.end("late")).resume(),
    server: (socket) => socket.resume().end("early"),
  },
  "the client is destroyed once connected": {
    client: (socket) => socket.on("connect", () => socket.destroy()),
    server: (socket) => void socket.resume(),
  },
  "the client is destroyed with an error": {
    client: (socket) => socket.on("connect", () => socket.destroy(new Error("mine"))),
    server: (socket) => void socket.resume(),
  },
  "the server resets": {
    client: (socket) => void socket.resume().write("hello"),
    server: (socket) => socket.on("data", () => socket.resetAndDestroy()),
  },
  "the client resets": {
    client: (socket) => socket.on("data", () => socket.resetAndDestroy()),
    server: (socket) => void socket.resume().write("hello"),
  },
  "the client writes after it ended": {
    client: (socket, trace) => {
      socket.on("connect", () => {
        socket.end("all");
        socket.write("more", (error) =>
          trace.push(`written ${error && "code" in error && error.code}`),
        );
      });
    },
    server: (socket) => void socket.resume(),
  },
  "the client writes after it was destroyed": {
    client: (socket, trace) => {
      socket.on("connect", () => {
        socket.destroy();
        socket.write("more", (error) =>
          trace.push(`written ${error && "code" in error && error.code}`),
        );
      });
    },
    server: (socket) => void socket.resume(),
  },
  "the server writes after the client's end": {
    client: (socket) => socket.resume().end("over"),
    server: (socket, trace) => {
      socket.resume();
      socket.on("end", () => {
        const more = socket.write("too late", (error) => trace.push(`written ${error?.message}`));
        trace.push(`more ${more}`);
      });
    },
  },
  "the server writes after it has ended itself": {
    client: (socket) => socket.resume().end("over"),
    server: (socket) => socket.resume().on("finish", () => socket.write("too late")),
  },
  "writes before the connection stands, and callbacks": {
    client: (socket, trace) => {
      socket.write("one", () => trace.push("one written"));
      socket.write("two", () => trace.push("two written"));
      socket.end("three", () => trace.push("ended"));
      socket.resume();
    },
    server: (socket, trace) => {
      socket.on("data", (data: Buffer) => trace.push(String(data.length)));
    },
  },
  "destroySoon after a large write": {
    client: (socket) => {
      socket.on("connect", () => {
        socket.write(Buffer.alloc(300_000));
        socket.destroySoon();
      });
    },
    server: (socket) => void socket.resume(),
  },
  "idle for too long": {
    client: (socket) => void socket.resume(),
    server: (socket, trace) => {
      socket.resume();
      socket.setTimeout(60, () => {
        trace.push(`timeout after ${socket.timeout}`);
        socket.end();
      });
    },
  },
};

async function onNode(program: Program): Promise<Trace> {
  return play(net as unknown as Sockets, program, (over) => over);
}

async function onStack(program: Program): Promise<Trace> {
  const network = new Network({ seed: 5 });
  const faces = nodeNet(network.host("host").stack) as unknown as Sockets;
  return play(faces, program, async (over) => {
    let isOver = false;
    void over.then(() => {
      isOver = true;
    });
    await network.settle(() => isOver);
    if (!isOver) throw new Error("stuck");
  });
}

async function play(
  sockets: Sockets,
  program: Program,
  drive: (over: Promise<unknown>) => Promise<unknown>,
): Promise<Trace> {
  const trace: Trace = {};
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const server = sockets.createServer(
    { allowHalfOpen: program.serverHalfOpen ?? false },
    (socket) => {
      record(trace, "server", socket);
      count(trace.server!, socket);
      program.server(socket, trace.server!);
    },
  );
  server.listen({ port: 0, host: "127.0.0.1" }, () => {
    const { port } = server.address() as { port: number };
    const options = { port, host: "127.0.0.1", allowHalfOpen: program.clientHalfOpen ?? false };
    const client = record(trace, "client", sockets.connect(options));
    count(trace.client!, client);
    client.on("close", () => leave());
    program.client(client, trace.client!);
    server.once("connection", () => server.close(() => resolve()));
  });
  await drive(Promise.all([closed, left]));
  // What is told after the last close.
  await new Promise((done) => setImmediate(() => setImmediate(done)));
  return trace;
}

describe("as on Node's own sockets", () => {
  test.each(Object.entries(programs))("%s", async (_name, program) => {
    const [kernel, stack] = [await onNode(program), await onStack(program)];
    expect(stack).toEqual(kernel);
  });
});

describe("attempts that fail, as on Node's own sockets", () => {
  const failures: Record<string, (sockets: Sockets) => Socket> = {
    refused: (sockets) => sockets.connect({ port: 1, host: "127.0.0.1" }),
    "refused, with data written": (sockets) => {
      const socket = sockets.connect({ port: 1, host: "127.0.0.1" });
      socket.end("lost");
      return socket;
    },
    "destroyed at once": (sockets) => sockets.connect({ port: 1, host: "127.0.0.1" }).destroy(),
    "destroyed at once, with an error": (sockets) =>
      sockets.connect({ port: 1, host: "127.0.0.1" }).destroy(new Error("mine")),
  };

  const traceOf = async (sockets: Sockets, attempt: (sockets: Sockets) => Socket) => {
    const trace: Trace = {};
    const socket = record(trace, "client", attempt(sockets));
    const over = new Promise((resolve) => socket.on("close", resolve));
    return { trace, over };
  };

  test.each(Object.entries(failures))("%s", async (_name, attempt) => {
    const kernel = await traceOf(net as unknown as Sockets, attempt);
    await kernel.over;
    const network = new Network({ seed: 5 });
    const faces = nodeNet(network.host("host").stack) as unknown as Sockets;
    const stack = await traceOf(faces, attempt);
    let isOver = false;
    void stack.over.then(() => {
      isOver = true;
    });
    await network.settle(() => isOver);
    expect(stack.trace).toEqual(kernel.trace);
  });
});
