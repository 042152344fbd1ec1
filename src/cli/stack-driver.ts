import { formatSocketAddress } from "../core/address.ts";
import { NetError } from "../core/errors.ts";
import type { Transport } from "../core/transport.ts";
import { TapHost } from "../drivers/tap/host.ts";
import type { DescriptorLog } from "../native/descriptor-log.ts";
import { Prefix } from "../netstack/prefix.ts";
import type { StackSpec } from "./stack-spec.ts";

/** How long probing addresses, or DHCP, may take before the start fails. */
const settleMs = 15_000;

/**
 * Opens the device, configures a stack on it and waits until its addresses may be used; gives its TCP
 * as a transport that takes all of it down when it closes. Rejects with a NetError that says what to do.
 */
export async function openStackTransport(
  spec: StackSpec,
  descriptors: DescriptorLog,
  onFault: (error: unknown) => void,
): Promise<Transport> {
  const host = TapHost.open({
    name: spec.device,
    mode: spec.mode,
    addresses: spec.addresses,
    onFault,
    onGone: lose,
    ...(spec.mtu === null ? {} : { mtu: spec.mtu }),
  });
  const queues = host.devices.flatMap((device) => device.queues);
  for (const { fd } of queues) descriptors.opened(fd);
  const close = (): void => {
    for (const { fd } of queues) descriptors.closing(fd);
    host.close();
  };
  try {
    for (const via of spec.gateways) {
      host.stack.configuration.addRoute({ destination: "default", via, interface: spec.device });
    }
    if (spec.dhcp) host.stack.startDhcp(spec.device);
    await usable(host, spec);
  } catch (error) {
    close();
    throw error;
  }
  return serving(host.transport(), host, close);
}

/** Waits until no address is on probation any more and, with DHCP, one was leased. */
function usable(host: TapHost, { device, addresses, dhcp }: StackSpec): Promise<void> {
  const { stack } = host;
  const wanted = addresses.map((text) => `${Prefix.parse(text)}`);
  return new Promise((resolve, reject) => {
    const settle = (error: NetError | null): void => {
      clearTimeout(timer);
      unwatch();
      if (error === null) resolve();
      else reject(error);
    };
    const look = (): void => {
      const entries = stack.configuration.addresses.filter((entry) => entry.interface === device);
      const ours = entries.filter(({ ip, prefixLength }) =>
        wanted.includes(`${ip}/${prefixLength}`),
      );
      const taken = ours.find(({ state }) => state === "duplicated");
      if (taken !== undefined) settle(failure(`somebody else on ${device} has ${taken.ip}`));
      else if (ours.some(({ state }) => state === "tentative")) return;
      else if (!dhcp || entries.some(({ origin }) => origin === "dhcp")) settle(null);
    };
    const unwatch = stack.watch((event) => {
      if (event.kind.startsWith("address-")) look();
    });
    const timer = setTimeout(() => {
      settle(failure(`${device} has no usable address after ${settleMs / 1_000} s: is it up?`));
    }, settleMs);
    look();
  });
}

/** Ends the worker: the one that takes its place opens the device anew, or fails and says why. */
const lose = (device: string): void => {
  setImmediate(() => {
    throw failure(`${device} is gone: somebody removed the device`);
  });
};

const failure = (message: string) =>
  new NetError("EADDRNOTAVAIL", message, { source: "internal", retry: "always" });

/** The same transport, but its `close` is the given one after its own, and it says which addresses there are. */
function serving(transport: Transport, host: TapHost, close: () => void): Transport {
  const own = { close: transport.close.bind(transport), listen: transport.listen.bind(transport) };
  transport.close = () => {
    own.close();
    close();
  };
  transport.listen = async (address, options, acceptor) => {
    try {
      return await own.listen(address, options, acceptor);
    } catch (error) {
      if (!(error instanceof NetError) || error.code !== "EADDRNOTAVAIL") throw error;
      throw failure(
        `cannot listen on ${formatSocketAddress(address)}: the stack has ${addressesOf(host)}`,
      );
    }
  };
  return transport;
}

/** Those that are worth a name. */
function addressesOf({ stack }: TapHost): string {
  const entries = stack.configuration.addresses.filter(
    (entry) => entry.interface !== "lo" && entry.origin !== "link-local",
  );
  return entries.map(({ ip }) => ip).join(", ") || "no address";
}
