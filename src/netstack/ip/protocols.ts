import type { IcmpError, UpperLayer } from "./ip-layer.ts";

const COUNT = 256;

/** By IP protocol number: who takes its packets, and who hears of errors about them. */
export class Protocols {
  readonly uppers: (UpperLayer | null)[] = new Array<UpperLayer | null>(COUNT).fill(null);
  readonly errorTakers: (((error: IcmpError) => boolean) | null)[] = new Array<
    ((error: IcmpError) => boolean) | null
  >(COUNT).fill(null);

  /** Whether somebody knows the error to be about a packet that was sent. */
  tell(error: IcmpError): boolean {
    const upper = this.uppers[error.protocol] ?? null;
    const known = upper?.handleIcmpError(error) ?? false;
    const taker = this.errorTakers[error.protocol] ?? null;
    return (taker?.(error) ?? false) || known;
  }
}
