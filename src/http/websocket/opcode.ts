/** RFC 6455 §5.2; of the others none is defined. */
export const Opcode = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Set in the opcodes of control frames (§5.5). */
export const CONTROL = 8;

/** The longest payload of a control frame (§5.5). */
export const CONTROL_PAYLOAD = 125;
