/**
 * What a receiver found. "need-data": all input was consumed. "paused": it takes nothing more until it
 * is told that another message may begin. "error": see `error`; it stays in it.
 */
export type ReceiveEvent = "need-data" | "head" | "data" | "end" | "error" | "paused";
