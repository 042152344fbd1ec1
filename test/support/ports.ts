import { createServer } from "node:net";

/**
 * Below Linux's range of ephemeral ports (32768 and up), so that no outgoing connection of a
 * parallel test takes the port between this check and the server's own bind.
 */
const lowest = 12_000;
const highest = 32_000;

const given = new Set<number>();

/** A TCP port on which nothing listens at the moment and that this process has not given out yet. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port) || !(await canBind(host, port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port found on ${host} between ${lowest} and ${highest}`);
}

function canBind(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
