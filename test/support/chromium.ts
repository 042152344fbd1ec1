import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type RunningProcess, startProcess } from "./processes.ts";

interface Reply {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/**
 * A headless Chromium that takes any certificate and knows no proxy, steered by the DevTools protocol:
 *
 *     await using chromium = await Chromium.start(requireTool("chromium", context));
 *     await chromium.open("https://127.0.0.1:8443/");
 *     await chromium.evaluate("document.title");
 */
export class Chromium implements AsyncDisposable {
  readonly #process: RunningProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #session = "";
  #sent = 0;

  private constructor(running: RunningProcess, profile: string, socket: WebSocket) {
    this.#process = running;
    this.#profile = profile;
    this.#socket = socket;
    socket.on("message", (data) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
    });
  }

  static async start(command: string): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), "millrace-chromium-"));
    const running = await startProcess({
      command,
      args: [
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        ...["--no-proxy-server", "--no-first-run", "--disable-background-networking"],
        ...["--disable-component-update", "--ignore-certificate-errors"],
        ...[`--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"],
      ],
      env: { http_proxy: undefined, https_proxy: undefined, all_proxy: undefined },
      ready: { output: /DevTools listening on ws:\/\/\S+/ },
      timeoutMs: 25_000,
    });
    const [, url] = /DevTools listening on (ws:\/\/\S+)/.exec(running.stderr)!;
    const socket = new WebSocket(url!, { perMessageDeflate: false });
    await once(socket, "open");
    return new Chromium(running, profile, socket);
  }

  /** Loads a page and waits until it is there. */
  async open(url: string): Promise<void> {
    const { targetId } = await this.#send("Target.createTarget", { url: "about:blank" });
    const attached = await this.#send("Target.attachToTarget", { targetId, flatten: true });
    this.#session = attached.sessionId as string;
    const { errorText } = await this.#send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await this.evaluate(
      "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))",
    );
  }

  /** The value of an expression in the page, awaited where it is a promise; as plain data. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#send("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value?: unknown }).value;
  }

  async #send(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#sent;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    const sessionId =
      this.#session === "" || method.startsWith("Target.") ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...sessionId }));
    const { error, result } = await reply;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.#process.stop("SIGKILL");
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
