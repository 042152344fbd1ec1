import { type Profiler, Session } from "node:inspector/promises";

const SAMPLING_MICROS = 200;

/** The first that a file's path matches is its layer; what has no file is V8's own. */
const LAYERS: readonly (readonly [string, RegExp])[] = [
  ["driver", /\/bench\/netstack\//],
  ["link", /\/src\/netstack\/(link\/|interface\.ts|device\.ts|packet\.ts)/],
  ["tcp", /\/src\/netstack\/tcp\//],
  ["udp", /\/src\/netstack\/udp\//],
  ["ip", /\/src\/netstack\/(ip\/|ip-address|inbound|icmp\/|address-table|fragments\/)/],
  ["segmentation", /\/src\/netstack\/segmentation\//],
  ["stack", /\/src\/netstack\//],
  ["wire", /\/src\/wire\//],
  ["core", /\/src\/core\//],
];

/** The share of the time that each layer's own files took while `work` ran. */
export async function layersOf(work: () => void): Promise<Record<string, number>> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: SAMPLING_MICROS });
    await session.post("Profiler.start");
    work();
    const { profile } = await session.post("Profiler.stop");
    return fold(profile);
  } finally {
    session.disconnect();
  }
}

function fold({ nodes }: Profiler.Profile): Record<string, number> {
  const hits = new Map<string, number>();
  let total = 0;
  for (const { callFrame, hitCount = 0 } of nodes) {
    if (callFrame.functionName === "(idle)" || hitCount === 0) continue;
    const name = layerOf(callFrame.url, callFrame.functionName);
    hits.set(name, (hits.get(name) ?? 0) + hitCount);
    total += hitCount;
  }
  const sorted = [...hits].toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(sorted.map(([name, count]) => [name, count / total]));
}

function layerOf(url: string, functionName: string): string {
  if (functionName === "(garbage collector)") return "garbage";
  return LAYERS.find(([, path]) => path.test(url))?.[0] ?? "engine";
}
