/**
 * Numbers of Linux's TUN/TAP driver and of interface ioctls, the same on x64 and arm64 (include/uapi:
 * if_tun.h, sockios.h, if.h, fcntl.h).
 */
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const FD_CLOEXEC = 1;

export const IFF_TUN = 0x0001;
export const IFF_TAP = 0x0002;
export const IFF_MULTI_QUEUE = 0x0100;
export const IFF_ATTACH_QUEUE = 0x0200;
export const IFF_DETACH_QUEUE = 0x0400;
/** No protocol number before each packet. */
export const IFF_NO_PI = 0x1000;
/** A virtio-net header before each frame. */
export const IFF_VNET_HDR = 0x4000;

export const TUNSETIFF = 0x400454ca;
export const TUNSETPERSIST = 0x400454cb;
export const TUNGETIFF = 0x800454d2;
/** Its argument is the value. */
export const TUNSETOFFLOAD = 0x400454d0;
export const TUNSETVNETHDRSZ = 0x400454d8;
export const TUNSETQUEUE = 0x400454d9;

export const TUN_F_CSUM = 0x01;
export const TUN_F_TSO4 = 0x02;
export const TUN_F_TSO6 = 0x04;
export const TUN_F_TSO_ECN = 0x08;
/** Linux 6.2 and later. */
export const TUN_F_USO4 = 0x20;
export const TUN_F_USO6 = 0x40;

export const SIOCGIFFLAGS = 0x8913;
export const SIOCSIFFLAGS = 0x8914;
export const SIOCGIFMTU = 0x8921;
export const SIOCSIFMTU = 0x8922;
export const SIOCGIFHWADDR = 0x8927;

/** Of an interface: set up by its administrator; its driver runs and has a carrier. */
export const IFF_UP = 0x1;
export const IFF_RUNNING = 0x40;

/** Error number of a queue whose device is gone; `os.constants` lacks it, so it is not in errno.ts. */
export const EBADFD = 77;

export const SOCK_DGRAM = 2;
/** struct ifreq: a name of 16 bytes with its zero, and a union of 24. */
export const IFNAMSIZ = 16;
export const IFREQ = 40;
