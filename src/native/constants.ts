/**
 * Numbers of the Linux ABI that are the same on x64 and arm64 (include/uapi of the kernel: socket.h,
 * in.h, tcp.h, fcntl.h, eventpoll.h, asm-generic/socket.h).
 */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;

export const IPPROTO_IP = 0;
/** Lets `connect` choose the port, by the whole 4-tuple, of a socket bound to an address alone. */
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

export const MSG_PEEK = 0x02;
export const MSG_NOSIGNAL = 0x4000;

export const SHUT_WR = 1;

export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;

export const EPOLLIN = 0x001;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;
export const EPOLLRDHUP = 0x2000;
/** Bit 31, written so that it stays a small integer in JavaScript. */
export const EPOLLET = 1 << 31;
