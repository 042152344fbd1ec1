import type { TapHost } from "../../../../src/drivers/tap/host.ts";
import type { DevicePort } from "../../../../src/netstack/device.ts";
import { Packet } from "../../../../src/netstack/packet.ts";
import { Segmenter } from "../../../../src/netstack/segmentation/segmentation.ts";

const ETHERNET = 14;

/** What a wire does to each frame, by itself and both ways. */
export interface Impairment {
  /** 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  /** Milliseconds, one way. */
  readonly delay: number;
  /** Milliseconds more, for this share of the frames: they are overtaken. */
  readonly late: number;
  readonly lateShare: number;
}

/**
 * Puts a bad wire between a host's only device and its stack: what netem does, for kernels without it.
 * The device must have been opened without offloads, so that a frame is a segment; those that the driver
 * has merged are cut up again.
 */
export function spoil(host: TapHost, impairment: Impairment, random: () => number): void {
  const device = host.devices[0]!;
  const port: DevicePort = host.stack.interface(device.name)!;
  const transmit = device.transmit.bind(device);
  const spoilt = (packet: Packet, deliver: (copy: Packet) => void): void => {
    const copies = random() < impairment.loss ? 0 : random() < impairment.duplication ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const copy = packet.clone();
      const late = random() < impairment.lateShare ? impairment.late : 0;
      setTimeout(() => deliver(copy), impairment.delay + late);
    }
  };
  const received = Packet.allocate();
  const segmenter = new Segmenter();
  const segment = Packet.allocate();
  const arrive = (packet: Packet): void =>
    spoilt(packet, (copy) => {
      received.copyFrom(copy);
      port.receive(received);
      host.stack.context.wake();
    });
  device.transmit = (packet) => {
    spoilt(packet, transmit);
    return true;
  };
  device.attach({
    receive: (packet) => {
      if (!segmenter.begin(packet, packet.start + ETHERNET)) arrive(packet);
      else while (segmenter.next(segment)) arrive(segment);
    },
    ready: () => port.ready(),
    linkChanged: (up) => port.linkChanged(up),
    mtuChanged: (mtu) => port.mtuChanged(mtu),
  });
}
