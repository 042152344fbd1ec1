import { expect, test } from "vitest";
import { NetError } from "../../src/core/errors.ts";
import { after, seconds } from "../../src/core/time.ts";
import { FULL_OFFLOAD, Network } from "../../src/drivers/simulation/public.ts";
import type { IcmpError } from "../../src/netstack/ip/ip-layer.ts";
import { Ip } from "../../src/netstack/ip-address.ts";

const settings = { dadTransmits: 0, conflictDetection: "off" } as const;

/**
 * On one segment: a host, whose router is R, and B, to which R sends what is for 192.0.2.0/24 and
 * 2001:db8::/32. Behind B is a host that answers.
 */
function world(
  more: { readonly sendRedirects?: boolean; readonly acceptRedirects?: boolean } = {},
) {
  const network = new Network({ seed: 5 });
  const { acceptRedirects = true, sendRedirects = true } = more;
  const host = network.host("host", { settings: { ...settings, acceptRedirects } });
  const forwarding = { ...settings, forwarding: true, sendRedirects };
  const router = network.host("router", { settings: forwarding });
  const better = network.host("better", { settings: forwarding });
  const far = network.host("far", { settings });
  network.segment([
    { host, addresses: ["10.0.0.5/24", "fd00::5/64"], offload: FULL_OFFLOAD },
    { host: router, addresses: ["10.0.0.1/24", "fd00::1/64"], offload: FULL_OFFLOAD },
    { host: better, addresses: ["10.0.0.2/24", "fd00::2/64"], offload: FULL_OFFLOAD },
  ]);
  network.link(
    { host: better, addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
    { host: far, addresses: ["192.0.2.7/24", "2001:db8::7/64"] },
  );
  const run = (time: number) => network.run(after(network.now, seconds(time)));
  run(3);
  const linkLocal = (of: typeof host): string =>
    `${of.interface().addresses.all.find(({ ip }) => ip.version === 6 && ip.isLinkLocal)!.ip}`;
  const lead = (of: typeof host, destination: string, via: string) =>
    of.stack.configuration.addRoute({ destination, via, interface: of.interface().name });
  lead(host, "0.0.0.0/0", "10.0.0.1");
  lead(host, "::/0", linkLocal(router));
  lead(router, "192.0.2.0/24", "10.0.0.2");
  lead(router, "2001:db8::/32", linkLocal(better));
  lead(far, "0.0.0.0/0", "192.0.2.1");
  lead(far, "::/0", "2001:db8::1");
  const learnt = () =>
    [...host.stack.ip.routes.all]
      .filter(({ origin }) => origin === "redirect")
      .map(({ destination, via }) => `${destination} ${via}`);
  /** Sends a datagram; whether it was heard. */
  function sends(to: string): boolean {
    let heard = 0;
    const open = (of: typeof host, local: { port: number }) =>
      of.stack.udp.open({ local }, { onMessage: () => void heard++, onError() {} });
    const [there, here] = [open(far, { port: 9 }), open(host, { port: 0 })];
    if (there instanceof NetError || here instanceof NetError) throw new Error("not opened");
    here.send(new Uint8Array(100), 0, 100, { ip: Ip.parse(to)!, port: 9 });
    run(2);
    there.close();
    here.close();
    return heard === 1;
  }
  return { host, router, better, learnt, sends, linkLocal, run };
}

test.each([
  ["192.0.2.7", "ipv4"],
  ["2001:db8::7", "ipv6"],
])(
  "to %s by the wrong router: passed on, told of the right one, taken from then on",
  (to, family) => {
    const { router, better, learnt, sends, linkLocal } = world();
    const counters = family === "ipv4" ? router.stack.ip.counters4 : router.stack.ip.counters6;
    expect(sends(to)).toBe(true);
    expect(counters.forwarded).toBe(1);
    const via = family === "ipv4" ? "10.0.0.2" : linkLocal(better);
    expect(learnt()).toEqual([`${to}/${family === "ipv4" ? 32 : 128} ${via}`]);
    expect(sends(to)).toBe(true);
    expect(counters.forwarded).toBe(1);
  },
);

test.each([{ sendRedirects: false }, { acceptRedirects: false }])(
  "with %o: nothing changes",
  (more) => {
    const { router, learnt, sends } = world(more);
    for (const to of ["192.0.2.7", "2001:db8::7"]) {
      expect([sends(to), sends(to)]).toEqual([true, true]);
    }
    expect(learnt()).toEqual([]);
    expect([router.stack.ip.counters4.forwarded, router.stack.ip.counters6.forwarded]).toEqual([
      2, 2,
    ]);
  },
);

test("a flood by the wrong router: redirects are bounded, and leave errors their share", () => {
  const { host, router, sends, run } = world({ acceptRedirects: false });
  sends("192.0.2.7");
  const errors: string[] = [];
  const handler = {
    onMessage() {},
    onError() {},
    onIcmpError: ({ kind }: IcmpError) => void errors.push(kind),
  };
  const socket = host.stack.udp.open({}, handler);
  if (socket instanceof NetError) throw socket;
  const { icmpCounters4: counters } = router.stack.ip;
  const before = counters.outMessages;
  const send = (to: string): void =>
    void socket.send(new Uint8Array(10), 0, 10, { ip: Ip.parse(to)!, port: 9 });
  for (let i = 0; i < 500; i++) send("192.0.2.7");
  send("203.0.113.1");
  run(0.01);
  const { icmpErrorBurst, icmpErrorsPerSecond } = router.stack.context.limits;
  expect(counters.outMessages - before).toBeGreaterThan(icmpErrorBurst);
  expect(counters.outMessages - before).toBeLessThan(icmpErrorBurst + icmpErrorsPerSecond / 50);
  expect(errors).toContain("network-unreachable");
});
