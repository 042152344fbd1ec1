import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadFileDescriptorSetFromBuffer, loadSync } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { freePort } from "../../test/support/ports.ts";
import { startProcess } from "../../test/support/processes.ts";
import { startExample } from "../testing/running.ts";

const here = import.meta.dirname;

test("greeter: called by gRPC and as JSON, through the proxy", async () => {
  const APP = `127.0.0.1:${await freePort()}`;
  await using _server = await startProcess({
    command: process.execPath,
    args: [join(here, "greeter-server.ts")],
    env: { APP },
    ready: { output: /greeter listens/ },
  });
  await using proxy = await startExample("grpc/greeter.yaml", { APP });
  const client = await startProcess({
    command: process.execPath,
    args: [join(here, "greeter-client.ts"), "Ada"],
    env: { LISTEN: `127.0.0.1:${proxy.port}` },
  });
  await client.exited;
  expect(client.stdout).toBe("Hello, Ada\nHello, Ada, 1\nHello, Ada, 2\nHello, Ada, 3\n");
  const get = async (path: string) => {
    const response = await fetch(`${proxy.url}${path}`, { headers: { Connection: "close" } });
    return [response.status, await response.json()];
  };
  expect(await get("/v1/greetings/Ada")).toEqual([200, { text: "Hello, Ada" }]);
  const twice = [{ text: "Hello, Ada, 1" }, { text: "Hello, Ada, 2" }];
  expect(await get("/v1/greetings/Ada:often?times=2")).toEqual([200, twice]);
  const nobody = { code: 5, message: "nobody is here", details: [] };
  expect(await get("/v1/greetings/nobody")).toEqual([404, nobody]);
});

test("greeter: its descriptor set is that of its .proto file", () => {
  const common = dirname(fileURLToPath(import.meta.resolve("protobufjs/package.json")));
  const written = loadSync(join(here, "greeter.proto"), { includeDirs: [common] });
  const bytes = readFileSync(join(here, "greeter.pb"));
  const loaded = loadFileDescriptorSetFromBuffer(bytes);
  const name = "greeter.v1.Greeter";
  const methods = (set: typeof loaded) =>
    Object.values(set[name] as Record<string, { path: string; responseStream: boolean }>).map(
      ({ path, responseStream }) => [path, responseStream],
    );
  expect(methods(loaded)).toEqual(methods(written));
  for (const type of ["greeter.v1.GreetRequest", "greeter.v1.Greeting"]) {
    const fields = (set: typeof loaded) =>
      (
        set[type] as unknown as {
          type: { field: { name: string; number: number; type: string }[] };
        }
      ).type.field.map(({ name, number, type }) => [name, number, type]);
    expect(fields(loaded)).toEqual(fields(written));
  }
  const text = readFileSync(join(here, "greeter.proto"), "utf8");
  for (const [, path] of text.matchAll(/(?:get|post): "([^"]+)"/g)) {
    expect(bytes.includes(path!)).toBe(true);
  }
});
