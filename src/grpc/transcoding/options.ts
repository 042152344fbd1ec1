/** How JSON is read and written. Plain data. */
export interface TranscodingOptions {
  /** Fields with their default value are written, too. */
  readonly emitDefaults: boolean;
  /** Fields are written by their name in the .proto file, not in camelCase; both are always read. */
  readonly protoNames: boolean;
  /** Unknown parameters and members are passed over; otherwise they are refused. */
  readonly ignoreUnknown: boolean;
}

export const transcodingDefaults: TranscodingOptions = {
  emitDefaults: false,
  protoNames: false,
  ignoreUnknown: false,
};
