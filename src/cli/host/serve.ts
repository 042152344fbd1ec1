import type { IpAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type { Transport } from "../../core/transport.ts";
import type { UdpLayer } from "../../netstack/udp/udp-layer.ts";
import type { UdpSocket } from "../../netstack/udp/udp-socket.ts";
import type { Service } from "./service.ts";

const ANY = "::" as IpAddress;

/** Lets a service listen on all addresses, over TCP and UDP. Rejects with a NetError (EADDRINUSE). */
export async function serve(
  service: Service,
  port: number,
  transport: Transport,
  udp: UdpLayer,
): Promise<void> {
  await transport.listen({ kind: "ip", ip: ANY, port }, {}, (stream) => service.accept(stream));
  let socket: UdpSocket | null = null;
  const handler = service.datagrams(() => socket!);
  if (handler === null) return;
  const opened = udp.open({ local: { port } }, handler);
  if (opened instanceof NetError) throw opened;
  socket = opened;
}
