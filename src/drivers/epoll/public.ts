/** The entry `millrace/drivers/epoll`. */
export { createEpollTransport, type EpollOptions, EpollTransport } from "./transport.ts";
