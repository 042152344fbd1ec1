import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { haveNamespaces, runInNamespace } from "../support/network-namespace.ts";
import { haveTools, requireTool } from "../support/tools.ts";
import { runMillrace } from "./millrace.ts";

const able = (await haveNamespaces()) && haveTools("ip", "ping", "curl", "nc");
const root = join(import.meta.dirname, "..", "..");
const bin = join(root, "bin", "millrace.mjs");
const tun = join(root, "src", "native", "tun.ts");

/** `start(...flags)`: a host on mr0, whose kernel side is 10.7.0.1 and fd07::1 once it serves. */
const BEGIN = `
  const { spawn } = await import("node:child_process");
  const { once } = await import("node:events");
  async function start(...flags) {
    const child = spawn(process.execPath, [process.argv[1], "host", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    const exited = once(child, "exit");
    child.stdout.on("data", (data) => { text += data; });
    for (let i = 0; i < 400 && !text.includes("Ctrl-C"); i++) await pause(25);
    sh("ip addr add 10.7.0.1/24 dev mr0; ip addr add fd07::1/64 dev mr0 nodad");
    return { stop: async (signal) => { child.kill(signal); return (await exited)[0]; }, text: () => text };
  }
  const HOST = ["--tap", "mr0", "--no-probe", "--address", "10.7.0.2/24", "--address", "fd07::2/64"];
  const attempt = (line) => { try { sh(line); return true; } catch { return false; } };
  const eventually = async (line) => { for (let i = 0; i < 40; i++) { if (attempt(line)) return true; await pause(100); } return false; };
`;

const inNamespace = (script: string, ...args: string[]): Promise<unknown[]> =>
  runInNamespace(BEGIN + script, bin, tun, ...args);

describe.skipIf(!able)("millrace host, in a network namespace", () => {
  test("the kernel pings it over both families, in all sizes, and it ends cleanly", async () => {
    const said = await inNamespace(`
      const host = await start(...HOST);
      say(await eventually("ping -c 1 -W 1 10.7.0.2"));
      say(await eventually("ping -c 1 -W 1 fd07::2"));
      for (const size of [0, 1472, 1473, 9000, 60000]) say(attempt("ping -c 1 -W 2 -s " + size + " 10.7.0.2"));
      say(attempt("ping -c 1 -W 2 -s 20000 fd07::2"));
      say(await host.stop("SIGTERM"));
    `);
    expect(said).toEqual([...new Array(8).fill(true), 0]);
  });

  test("curl loads down and up with equal checksums, echo answers over TCP and UDP", async () => {
    const said = await inNamespace(`
      const { createHash } = await import("node:crypto");
      const host = await start(...HOST, "--http", "80", "--echo", "7");
      await eventually("ping -c 1 -W 1 10.7.0.2");
      const get = (path, more = "") => execFileSync("sh", ["-c", "curl -sS --max-time 15 " + more + " 'http://10.7.0.2/" + path + "'"], { maxBuffer: 1 << 28 });
      const body = get("bytes/20000000");
      const { writeFileSync, rmSync, mkdtempSync } = await import("node:fs");
      const folder = mkdtempSync("/tmp/millrace-host-");
      writeFileSync(folder + "/body", body);
      const sum = JSON.parse(get("sum", "-T " + folder + "/body").toString());
      rmSync(folder, { recursive: true });
      say([body.length, sum.length, sum.sha256 === createHash("sha256").update(body).digest("hex")]);
      say(JSON.parse(get("status.json").toString()).services.map(({ name }) => name));
      say(sh("echo over tcp | nc -N -w 3 10.7.0.2 7"));
      say(sh("echo over udp | nc -u -w 1 10.7.0.2 7"));
      say(await host.stop("SIGINT"));
    `);
    expect(said).toEqual([
      [20_000_000, 20_000_000, true],
      ["http", "echo"],
      "over tcp\n",
      "over udp\n",
      0,
    ]);
  });

  test("its device is removed: it says so and fails, instead of waiting for what cannot come", async () => {
    const said = await inNamespace(`
      const host = await start(...HOST);
      sh("ip link del mr0");
      say(await Promise.race([host.stop(0), pause(10_000)]));
    `);
    expect(said).toEqual([1]);
  });

  test("its capture holds no malformed packet and no bad checksum", async (context) => {
    requireTool("tshark", context);
    const said = await inNamespace(`
      const { mkdtempSync, rmSync } = await import("node:fs");
      const folder = mkdtempSync("/tmp/millrace-host-");
      const file = folder + "/host.pcapng";
      const host = await start(...HOST, "--http", "80", "--pcap", file);
      await eventually("ping -c 1 -W 1 10.7.0.2");
      attempt("ping -c 1 -W 2 -s 5000 10.7.0.2");
      sh("curl -sS --max-time 10 http://10.7.0.2/bytes/1000000 -o /dev/null");
      say(await host.stop("SIGTERM"));
      const shark = (filter) => sh("tshark -r " + file + " -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -Y '" + filter + "' 2>/dev/null").split("\\n").length - 1;
      say(shark("frame") > 20);
      say(shark("_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || icmpv6.checksum.status == 0"));
      rmSync(folder, { recursive: true });
    `);
    expect(said).toEqual([0, true, 0]);
  });

  test("as a router between two namespaces: packets, fragments and a bulk flow pass, an expired one is told of", async () => {
    const said = await inNamespace(`
      const other = spawn("unshare", ["-n", "sleep", "40"], { stdio: "ignore" });
      const apart = "[ $(readlink /proc/" + other.pid + "/ns/net) != $(readlink /proc/self/ns/net) ]";
      await eventually(apart);
      const there = "nsenter -t " + other.pid + " -n ";
      const host = await start("--tap", "mr0", "--tap", "mr1", "--forward", "--no-probe",
        "--address", "mr0=10.7.0.2/24", "--address", "mr1=10.8.0.2/24");
      sh("ip link set mr1 netns " + other.pid);
      sh(there + "ip addr add 10.8.0.1/24 dev mr1; " + there + "ip link set mr1 up");
      sh("ip route add 10.8.0.0/24 via 10.7.0.2; " + there + "ip route add 10.7.0.0/24 via 10.8.0.2");
      say(await eventually("ping -c 1 -W 1 10.8.0.1"));
      say(attempt("ping -c 1 -W 2 -s 4000 10.8.0.1"));
      say(/time to live exceeded|Time exceeded/i.test((() => { try { return sh("ping -c 1 -W 2 -t 1 10.8.0.1"); } catch (error) { return error.stdout; } })()));
      const listening = (port) => there + "sh -c 'ss -ltn | grep -q :" + port + "'";
      const sink = spawn("nsenter", ["-t", String(other.pid), "-n", "sh", "-c", "nc -l -p 5000 | sha256sum"], { stdio: ["ignore", "pipe", "ignore"] });
      let got = "";
      sink.stdout.on("data", (data) => { got += data; });
      await eventually(listening(5000));
      sh("head -c 30000000 /dev/zero | timeout 15 nc -N 10.8.0.1 5000");
      for (let i = 0; i < 100 && got === ""; i++) await pause(50);
      say(got.slice(0, 64) === sh("head -c 30000000 /dev/zero | sha256sum").slice(0, 64));
      say(await host.stop("SIGTERM"));
      other.kill(); sink.kill();
    `);
    expect(said).toEqual([true, true, true, true, 0]);
  });

  test("on a TUN device with several queues and the longest MTU: both families, long pings, curl both ways", async () => {
    const said = await inNamespace(`
      const flags = ["--address", "10.7.0.2/24", "--address", "fd07::2/64", "--mtu", "65520"];
      const host = await start("--tun", "mr0", "--queues", "2", ...flags, "--http", "80");
      say(/mr0 .* tun, MTU 65520/.test(host.text()));
      say(await eventually("ping -c 1 -W 1 10.7.0.2"));
      say(await eventually("ping -c 1 -W 1 fd07::2"));
      for (const to of ["10.7.0.2", "fd07::2"]) say(attempt("ping -c 1 -W 2 -s 65500 " + to));
      // Flows of several ports fall on both queues.
      for (const to of ["10.7.0.2", "10.7.0.2", "10.7.0.2", "[fd07::2]", "[fd07::2]", "[fd07::2]"]) {
        say(sh("curl -sSg --max-time 5 -o /dev/null -w '%{size_download}' http://" + to + "/bytes/3000000"));
      }
      const sum = "head -c 3000000 /dev/zero | sha256sum";
      const up = JSON.parse(sh("head -c 3000000 /dev/zero | curl -sS --max-time 5 -T - http://10.7.0.2/sum"));
      say(up.sha256 === sh(sum).slice(0, 64));
      say(await host.stop("SIGTERM"));
    `);
    const loads = new Array(6).fill("3000000");
    expect(said).toEqual([true, true, true, true, true, ...loads, true, 0]);
  });

  test("without rights, handed an open device: it serves, and follows link and MTU", async () => {
    const said = await inNamespace(`
      const { TunQueue } = await import(process.argv[2]);
      const queue = TunQueue.open({ name: "mr0", mode: "tap", multiQueue: false });
      sh("ip addr add 10.7.0.1/24 dev mr0; ip link set mr0 up");
      // Where a checkout is its owner's alone, root without a capability has to do.
      const open = attempt("setpriv --reuid=65534 --clear-groups test -r " + process.argv[1] + " -a -x " + process.execPath);
      const who = [open ? "--reuid=65534" : "--reuid=0", "--regid=65534", "--clear-groups"];
      const less = ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"];
      const command = [process.execPath, process.argv[1], "host", "--tap", "mr0", "--fd", "3", "--no-probe",
        "--address", "10.7.0.2/24", "--http", "80"];
      const child = spawn("setpriv", [...who, ...less, ...command], { stdio: ["ignore", "ignore", "inherit", queue.fd] });
      const exited = once(child, "exit");
      say(await eventually("ping -c 1 -W 1 10.7.0.2"));
      say(/^CapEff:\\s*0+$/m.test(sh("cat /proc/" + child.pid + "/status")));
      const load = () => sh("curl -sS --max-time 5 -o /dev/null -w '%{size_download}' http://10.7.0.2/bytes/5000000");
      say(load());
      sh("ip link set mr0 down; ip link set mr0 mtu 1300; ip link set mr0 up");
      say(await eventually("ping -c 1 -W 1 10.7.0.2"));
      say(load());
      say(await eventually("curl -sS --max-time 5 http://10.7.0.2/status.json | grep -q 'mtu.: 1300'"));
      child.kill("SIGTERM");
      say((await exited)[0]);
      queue.close();
    `);
    expect(said).toEqual([true, true, "5000000", true, "5000000", true, 0]);
  });

  test("started again on its machine: the same stable addresses; on another one, others", async () => {
    const said = await inNamespace(`
      // A folder /etc of its own, whatever this machine has there, and a network of its own.
      const begin = 'mount -t tmpfs none /etc && echo $1 > /etc/machine-id && shift && exec "$@"';
      async function address(machine) {
        const args = ["-m", "-n", "sh", "-c", begin, "sh", machine, process.execPath, process.argv[1], "host", "--tap", "mr0"];
        const child = spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
        const exited = once(child, "exit");
        let text = "";
        for await (const data of child.stderr) {
          text += data;
          if (text.includes("is preferred")) child.kill("SIGTERM");
        }
        await exited;
        return /(fe80\\S+) on mr0 is preferred/.exec(text)?.[1];
      }
      const [here, there] = ["0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde0"];
      const [first, again, other] = await Promise.all([here, here, there].map(address));
      say([again === first, other === first, other.startsWith("fe80::")]);
    `);
    expect(said).toEqual([[true, false, true]]);
  });

  test("--pcap on a FIFO: it says what it waits for, and writes to whoever reads; SIGQUIT and SIGUSR2 end it in good order", async () => {
    const said = await inNamespace(`
      const { mkdtempSync, rmSync } = await import("node:fs");
      const folder = mkdtempSync("/tmp/millrace-host-");
      const fifo = folder + "/fifo";
      sh("mkfifo " + fifo);
      const child = spawn(process.execPath, [process.argv[1], "host", ...HOST, "--pcap", fifo], { stdio: ["ignore", "pipe", "pipe"] });
      const exited = once(child, "exit");
      let text = "";
      for (const from of [child.stdout, child.stderr]) from.on("data", (data) => { text += data; });
      for (let i = 0; i < 400 && !text.includes("until somebody reads it"); i++) await pause(25);
      say(text.includes("Ctrl-C"));
      const reader = spawn("sh", ["-c", "wc -c < " + fifo], { stdio: ["ignore", "pipe", "ignore"] });
      let count = "";
      reader.stdout.on("data", (data) => { count += data; });
      const read = once(reader, "close");
      for (let i = 0; i < 400 && !text.includes("Ctrl-C"); i++) await pause(25);
      child.kill("SIGQUIT");
      say((await exited)[0]);
      await read;
      say(Number(count) > 100);
      rmSync(folder, { recursive: true });
      say(await (await start(...HOST)).stop("SIGUSR2"));
    `);
    expect(said).toEqual([false, 0, true, 0]);
  });

  test("two hosts with one address on one Ethernet: the second does not use it and says so, the first serves on", async () => {
    const said = await inNamespace(`
      sh("ip link add br0 type bridge; ip link set br0 up; ip addr add 10.7.0.1/24 dev br0");
      for (const tap of ["mr1", "mr2"]) sh("ip tuntap add dev " + tap + " mode tap; ip link set " + tap + " master br0 up");
      const begin = (tap, ...more) => {
        const child = spawn(process.execPath, [process.argv[1], "host", "--tap", tap, "--address", "10.7.0.2/24", ...more], { stdio: ["ignore", "ignore", "pipe"] });
        const one = { child, text: "", exited: once(child, "exit") };
        child.stderr.on("data", (data) => { one.text += data; });
        return one;
      };
      const first = begin("mr1", "--no-probe");
      say(await eventually("ping -c 1 -W 1 10.7.0.2"));
      const mac = sh("ip neigh show 10.7.0.2").split(" ")[4];
      const second = begin("mr2");
      for (let i = 0; i < 600 && !second.text.includes("not used"); i++) await pause(25);
      say(second.text.includes("10.7.0.2 on mr2 is claimed by another host, too: " + mac));
      say(/warn: 10.7.0.2\\S* on mr2 is not used here/.test(second.text));
      say(/preferred/.test(second.text.replace(/^.*fe80.*$/gm, "")));
      sh("ip neigh flush dev br0");
      say(attempt("ping -c 1 -W 1 10.7.0.2"));
      say(sh("ip neigh show 10.7.0.2").split(" ")[4] === mac);
      for (const { child, exited } of [first, second]) { child.kill("SIGTERM"); say((await exited)[0]); }
    `);
    expect(said).toEqual([true, true, true, false, true, true, 0, 0]);
  });

  test("a device in use: a second host says so and ends with 1", async () => {
    const said = await inNamespace(`
      const { spawnSync } = await import("node:child_process");
      const host = await start(...HOST);
      const second = spawnSync(process.execPath, [process.argv[1], "host", ...HOST], { encoding: "utf8", timeout: 10000 });
      say([second.status, second.stderr]);
      say(await host.stop("SIGTERM"));
    `);
    expect(said).toEqual([
      [1, "millrace: error: tap device mr0 is in use by another process\n"],
      0,
    ]);
  });
});

test("wrong flags: are told in a line, and it ends with 2", async () => {
  const { code, stderr } = await runMillrace("host", "--tap", "mr0", "--address", "10.7.0.2");
  expect(code).toBe(2);
  expect(stderr).toContain("an address looks like 10.7.0.2/24");
});
