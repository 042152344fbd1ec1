/**
 * What `millrace host --tap NAME --address … --discard 9 --chargen 19` runs, where the offloads may be
 * switched off:
 *
 *     tap-host.ts NAME ADDRESS MTU on|off
 */
import { ChargenService } from "../../../src/cli/host/chargen.ts";
import { DiscardService } from "../../../src/cli/host/discard.ts";
import { serve } from "../../../src/cli/host/serve.ts";
import { TapHost } from "../../../src/drivers/tap/host.ts";

const [name = "", address = "", mtu = "", offload = "on"] = process.argv.slice(2);
const host = TapHost.open({
  name,
  addresses: [address],
  mtu: Number(mtu),
  offload: offload === "on",
  onFault: (error) => {
    throw error;
  },
});
const transport = host.transport();
await serve(new DiscardService(), 9, transport, host.stack.udp);
await serve(new ChargenService(host.rng), 19, transport, host.stack.udp);
process.once("SIGTERM", () => {
  host.close();
  process.exit(0);
});
process.stdout.write("ready\n");
