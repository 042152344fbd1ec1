/** The forms in which gRPC travels, told by Content-Type. */
export interface GrpcMediaType {
  readonly kind: "grpc" | "grpc-web" | "grpc-web-text";
  /** How messages are coded: "" when it does not say (protobuf), else "+proto", "+json", … */
  readonly suffix: string;
}

const pattern = /^application\/(grpc(?:-web(?:-text)?)?)(\+[a-z0-9.!#$&^_-]+)?[ \t]*(?:;|$)/i;

/** What a Content-Type says of gRPC; null for any other type. */
export function grpcMediaType(contentType: string | undefined): GrpcMediaType | null {
  const found = contentType === undefined ? null : pattern.exec(contentType);
  if (found === null) return null;
  const kind = found[1]!.toLowerCase() as GrpcMediaType["kind"];
  return { kind, suffix: (found[2] ?? "").toLowerCase() };
}

const GRPC = "application/grpc";
const SEMICOLON = 0x3b;
const PLUS = 0x2b;

/** Whether the value buf[start, end) of a Content-Type is gRPC's own; makes no text. */
export function isGrpcType(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start < GRPC.length) return false;
  for (let i = 0; i < GRPC.length; i++) {
    const code = GRPC.charCodeAt(i);
    const octet = buf[start + i]!;
    if (octet !== code && (octet | 0x20) !== code) return false;
  }
  if (end - start === GRPC.length) return true;
  const next = buf[start + GRPC.length]!;
  return next === PLUS || next === SEMICOLON || next === 0x20;
}
