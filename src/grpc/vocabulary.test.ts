import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { micros } from "../core/time.ts";
import { decodeHealthResponse, encodeHealthRequest } from "./health.ts";
import { grpcMediaType, isGrpcType } from "./media-type.ts";
import {
  GRPC_STATUS_NAMES,
  GrpcStatus,
  grpcStatusOfHttp,
  httpStatusOfGrpc,
  parseGrpcStatus,
} from "./status.ts";
import { decodeStatusMessage, encodeStatusMessage } from "./status-message.ts";
import { formatGrpcTimeout, parseGrpcTimeout } from "./timeout.ts";

fc.configureGlobal({ seed: 20_261_123, numRuns: 500 });

describe("grpc-timeout", () => {
  test.each([
    ["1S", 1_000_000],
    ["100m", 100_000],
    ["3H", 10_800_000_000],
    ["2M", 120_000_000],
    ["7u", 7],
    ["1n", 1],
    ["1500n", 2],
    ["0n", 0],
    ["99999999H", 359_999_996_400_000_000],
  ])("%s, is %d microseconds", (text, expected) => {
    expect(parseGrpcTimeout(text)).toBe(expected);
  });

  test.each(["", "1", "S", "1s", "123456789S", "-1S", "1.5S", " 1S", "1S ", "1SS", "+1m"])(
    "%j, is none",
    (text) => {
      expect(parseGrpcTimeout(text)).toBeNull();
    },
  );

  test("any duration, is formatted within 8 digits, never longer, and hardly shorter", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (left) => {
        const text = formatGrpcTimeout(micros(left));
        expect(text).toMatch(/^\d{1,8}[HMSmu]$/);
        const parsed = parseGrpcTimeout(text)!;
        expect(parsed).toBeLessThanOrEqual(left);
        expect(parsed).toBeGreaterThan(left * 0.99);
      }),
    );
  });

  test("what has passed, is no time at all", () => {
    expect(formatGrpcTimeout(micros(-5))).toBe("0u");
    expect(parseGrpcTimeout("0u")).toBe(0);
  });
});

describe("grpc-message", () => {
  test("any text, comes back, and travels as printable ASCII without blanks at its ends", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const encoded = encodeStatusMessage(text);
        expect(encoded).toMatch(/^([!-~]([ -~]*[!-~])?)?$/);
        expect(decodeStatusMessage(encoded)).toBe(text);
      }),
    );
  });

  test("a percent sign and what is not ASCII, are escaped in capitals", () => {
    expect(encodeStatusMessage("100% größer")).toBe("100%25 gr%C3%B6%C3%9Fer");
  });

  test("broken escapes, stand for themselves", () => {
    expect(decodeStatusMessage("50% of %zz%4")).toBe("50% of %zz%4");
  });
});

describe("status", () => {
  test.each([
    [400, "INTERNAL"],
    [401, "UNAUTHENTICATED"],
    [403, "PERMISSION_DENIED"],
    [404, "UNIMPLEMENTED"],
    [429, "RESOURCE_EXHAUSTED"],
    [502, "UNAVAILABLE"],
    [503, "UNAVAILABLE"],
    [504, "DEADLINE_EXCEEDED"],
    [418, "UNKNOWN"],
  ] as const)("HTTP %d, is %s", (http, name) => {
    expect(grpcStatusOfHttp(http)).toBe(GrpcStatus[name]);
  });

  test("every code, has a name and an HTTP status as google.rpc.Code gives it", () => {
    expect(GRPC_STATUS_NAMES).toHaveLength(17);
    expect(httpStatusOfGrpc(GrpcStatus.NOT_FOUND)).toBe(404);
    expect(httpStatusOfGrpc(GrpcStatus.UNAUTHENTICATED)).toBe(401);
    expect(httpStatusOfGrpc(GrpcStatus.ABORTED)).toBe(409);
    expect(httpStatusOfGrpc(99)).toBe(500);
  });

  test.each([
    ["0", 0],
    ["14", 14],
    [undefined, 2],
    ["", 2],
    ["-1", 2],
    ["1e3", 2],
  ])("grpc-status %s, is %d", (text, expected) => {
    expect(parseGrpcStatus(text)).toBe(expected);
  });
});

describe("media types", () => {
  test.each([
    ["application/grpc", "grpc", ""],
    ["application/grpc+proto", "grpc", "+proto"],
    ["Application/gRPC; charset=utf-8", "grpc", ""],
    ["application/grpc-web", "grpc-web", ""],
    ["application/grpc-web+proto", "grpc-web", "+proto"],
    ["application/grpc-web-text+thrift;x=y", "grpc-web-text", "+thrift"],
  ])("%s, is %s with suffix %j", (type, kind, suffix) => {
    expect(grpcMediaType(type)).toEqual({ kind, suffix });
    const bytes = Buffer.from(`ab${type}c`);
    expect(isGrpcType(bytes, 2, bytes.length - 1)).toBe(kind === "grpc");
  });

  test.each(["application/json", "application/grpcx", "text/grpc", "application/grpc-webb", ""])(
    "%s, is none of gRPC's",
    (type) => {
      expect(grpcMediaType(type)).toBeNull();
      expect(isGrpcType(Buffer.from(type), 0, type.length)).toBe(false);
    },
  );
});

describe("health messages", () => {
  test("a request for a service, is its name as field 1; for the server, empty", () => {
    expect([...encodeHealthRequest("a.B")]).toEqual([0x0a, 3, 0x61, 0x2e, 0x42]);
    expect(encodeHealthRequest("")).toHaveLength(0);
  });

  test.each([
    [[0x08, 1], "serving"],
    [[0x08, 2], "not-serving"],
    [[0x08, 3], "service-unknown"],
    [[], "unknown"],
    [[0x08, 77], "unknown"],
    [[0x12, 2, 0x08, 2, 0x08, 1], "serving"],
    [[0x08], null],
    [[0x12, 9, 1], null],
    [[0x0b], null],
  ])("the response %j, says %s", (bytes, expected) => {
    expect(decodeHealthResponse(Uint8Array.from(bytes))).toBe(expected);
  });

  test("any bytes, never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        decodeHealthResponse(bytes);
      }),
    );
  });
});
