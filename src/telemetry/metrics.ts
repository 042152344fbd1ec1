import type { CounterMemory } from "./counters.ts";
import { ERROR_CODES, ERROR_SOURCES, errorSlot } from "./error-codes.ts";
import type { Labels, MetricFamily, Sample } from "./exposition.ts";
import { DURATION_BOUNDS, readHistogram } from "./histogram.ts";
import {
  CODING_DIRECTIONS,
  CODINGS,
  codingSlot,
  ListenerSlot,
  MESSAGE_DIRECTIONS,
  type MetricLayout,
  PROTOCOLS,
  STATUSES,
  TLS_VERSIONS,
  TUNNEL_KINDS,
  UpstreamSlot,
  WorkerSlot,
} from "./layout.ts";
import { TLS_FAILURES } from "./tls-failures.ts";

/** What the workers counted, as Prometheus families. */
export function trafficFamilies(
  layout: MetricLayout,
  memory: CounterMemory,
): readonly MetricFamily[] {
  return [
    ...listenerFamilies(layout, memory),
    callFamily(layout, memory),
    ...upstreamFamilies(layout, memory),
    ...workerFamilies(memory),
  ];
}

function listenerFamilies(layout: MetricLayout, memory: CounterMemory): MetricFamily[] {
  const blocks = layout.listeners.map((name) => ({
    labels: { listener: name },
    base: layout.listener(name),
  }));
  const one = (slot: number) => perBlock(blocks, memory, slot);
  return [
    counter(
      "millrace_connections_accepted_total",
      "Client connections accepted.",
      one(ListenerSlot.accepted),
    ),
    gauge("millrace_connections_active", "Client connections open now.", one(ListenerSlot.active)),
    counter(
      "millrace_connections_refused_total",
      "Client connections closed unserved because the listener was at its limit.",
      one(ListenerSlot.refused),
    ),
    counter(
      "millrace_http_requests_total",
      "Requests that ended, by the status that the client got (0: it left before any answer).",
      blocks.flatMap(({ labels, base }) =>
        statusSamples(labels, base + ListenerSlot.statuses, memory),
      ),
    ),
    histogram(
      "millrace_http_request_duration_seconds",
      "From a request's first byte to the end of its response.",
      blocks,
      ListenerSlot.durations,
      memory,
    ),
    counter(
      "millrace_http_request_bytes_total",
      "Bytes of requests received.",
      one(ListenerSlot.requestBytes),
    ),
    counter(
      "millrace_http_response_bytes_total",
      "Bytes of responses sent.",
      one(ListenerSlot.responseBytes),
    ),
    counter(
      "millrace_http_errors_total",
      "Requests that ended with an error, by its code and whose fault it was.",
      blocks.flatMap(({ labels, base }) =>
        errorSamples(labels, base + ListenerSlot.errors, memory),
      ),
    ),
    ...codingFamilies(blocks, memory),
    ...protocolFamilies(layout, blocks, memory),
    ...tlsFamilies(blocks, memory),
    ...tunnelFamilies(blocks, memory),
  ];
}

function callFamily({ calls }: MetricLayout, memory: CounterMemory): MetricFamily {
  const samples: Sample[] = [];
  for (const [i, labels] of calls.routes.entries()) {
    for (const [status, name] of calls.statuses.entries()) {
      const value = memory.sum(calls.at(i, status));
      if (value > 0) samples.push(plain({ ...labels, grpc_status: name }, value));
    }
  }
  return counter("millrace_grpc_calls_total", "Calls of gRPC that ended, by status.", samples);
}

function upstreamFamilies(layout: MetricLayout, memory: CounterMemory): MetricFamily[] {
  const blocks = layout.upstreams.map((name) => ({
    labels: { upstream: name },
    base: layout.upstream(name),
  }));
  const one = (slot: number) => perBlock(blocks, memory, slot);
  return [
    counter(
      "millrace_upstream_requests_total",
      "Requests that an upstream was asked for.",
      one(UpstreamSlot.requests),
    ),
    counter(
      "millrace_upstream_requests_reused_total",
      "Of these, the ones that went over a connection that had served before.",
      one(UpstreamSlot.reused),
    ),
    counter(
      "millrace_upstream_connections_total",
      "Connections made to upstreams.",
      one(UpstreamSlot.connected),
    ),
    gauge(
      "millrace_upstream_connections_active",
      "Connections to upstreams open now, idle ones included.",
      one(UpstreamSlot.active),
    ),
    counter(
      "millrace_upstream_connect_errors_total",
      "Connections to upstreams that failed, by code.",
      blocks.flatMap(({ labels, base }) =>
        codeSamples(labels, base + UpstreamSlot.connectErrors, memory),
      ),
    ),
    counter(
      "millrace_upstream_retries_total",
      "Requests tried again, by the code of the error that caused it.",
      blocks.flatMap(({ labels, base }) =>
        codeSamples(labels, base + UpstreamSlot.retries, memory),
      ),
    ),
    histogram(
      "millrace_upstream_connect_duration_seconds",
      "Time that requests spent on getting a new connection.",
      blocks,
      UpstreamSlot.connects,
      memory,
    ),
    histogram(
      "millrace_upstream_first_byte_duration_seconds",
      "From a request's first byte to the first byte of the upstream's response.",
      blocks,
      UpstreamSlot.firstBytes,
      memory,
    ),
  ];
}

function workerFamilies(memory: CounterMemory): MetricFamily[] {
  const total = (slot: number): Sample[] => [plain({}, memory.sum(slot))];
  return [
    counter(
      "millrace_faults_total",
      "Exceptions in hooks and faults of the proxy itself.",
      total(WorkerSlot.faults),
    ),
    counter(
      "millrace_access_log_lines_total",
      "Lines written to the access log.",
      total(WorkerSlot.logLines),
    ),
    counter(
      "millrace_access_log_dropped_total",
      "Lines lost because the access log's sink was too slow.",
      total(WorkerSlot.logDropped),
    ),
  ];
}

function codingFamilies(blocks: readonly Block[], memory: CounterMemory): MetricFamily[] {
  const samples = (offset: number): Sample[] =>
    blocks.flatMap(({ labels, base }) =>
      CODING_DIRECTIONS.flatMap((direction) =>
        CODINGS.flatMap((coding) => {
          const first = base + ListenerSlot.codings + codingSlot(direction, coding);
          if (memory.sum(first) === 0) return [];
          return [plain({ ...labels, direction, coding }, memory.sum(first + offset))];
        }),
      ),
    );
  return [
    counter(
      "millrace_coded_bodies_total",
      "Bodies of responses that were encoded or decoded, by coding.",
      samples(0),
    ),
    counter("millrace_coded_bytes_in_total", "Bytes of these bodies before.", samples(1)),
    counter("millrace_coded_bytes_out_total", "Bytes of these bodies after.", samples(2)),
  ];
}

function protocolFamilies(
  layout: MetricLayout,
  blocks: readonly Block[],
  memory: CounterMemory,
): MetricFamily[] {
  const one = (slot: number): Sample[] => perBlock(blocks, memory, slot);
  const nonZero = (labels: Labels, slot: number): Sample[] => {
    const value = memory.sum(slot);
    return value > 0 ? [plain(labels, value)] : [];
  };
  return [
    counter(
      "millrace_http_requests_by_protocol_total",
      "Requests that ended, by the version of HTTP in which the client spoke.",
      blocks.flatMap(({ labels, base }) =>
        PROTOCOLS.flatMap((protocol, i) =>
          nonZero({ ...labels, protocol }, base + ListenerSlot.protocols + i),
        ),
      ),
    ),
    counter(
      "millrace_http2_connections_total",
      "Client connections that spoke HTTP/2.",
      one(ListenerSlot.http2Connections),
    ),
    counter(
      "millrace_http2_streams_total",
      "Streams that clients opened.",
      one(ListenerSlot.http2Streams),
    ),
    counter(
      "millrace_http2_streams_reset_total",
      "Of these, the ones that the client reset.",
      one(ListenerSlot.http2Resets),
    ),
    counter(
      "millrace_http2_faults_total",
      "Faults and abuse of HTTP/2 by clients, by reason: what ended a stream or a connection.",
      layout.listeners.flatMap((listener) =>
        layout.http2Faults.flatMap((reason) =>
          nonZero({ listener, reason }, layout.http2Fault(listener, reason)),
        ),
      ),
    ),
  ];
}

/** Of listeners that speak TLS; of others there is nothing to tell. */
function tlsFamilies(blocks: readonly Block[], memory: CounterMemory): MetricFamily[] {
  const samples = (base: number, names: readonly Labels[]): Sample[] =>
    names.flatMap((labels, i) => {
      const value = memory.sum(base + i);
      return value > 0 ? [plain(labels, value)] : [];
    });
  return [
    counter(
      "millrace_tls_handshakes_total",
      "TLS handshakes with clients, by version and by whether a session was resumed.",
      blocks.flatMap(({ labels, base }) =>
        samples(
          base + ListenerSlot.handshakes,
          TLS_VERSIONS.flatMap((version) => [
            { ...labels, version, resumed: "no" },
            { ...labels, version, resumed: "yes" },
          ]),
        ),
      ),
    ),
    counter(
      "millrace_tls_handshake_failures_total",
      "TLS handshakes with clients that failed, by reason.",
      blocks.flatMap(({ labels, base }) =>
        samples(
          base + ListenerSlot.handshakeFailures,
          TLS_FAILURES.map((reason) => ({ ...labels, reason })),
        ),
      ),
    ),
  ];
}

/** Of listeners that had tunnels. */
function tunnelFamilies(blocks: readonly Block[], memory: CounterMemory): MetricFamily[] {
  const samples = (slot: number): Sample[] =>
    blocks.flatMap(({ labels, base }) =>
      TUNNEL_KINDS.flatMap((kind, i) => {
        if (memory.sum(base + ListenerSlot.tunnelsOpened + i) === 0) return [];
        return [plain({ ...labels, kind }, memory.sum(base + slot + i))];
      }),
    );
  const messages = (slot: number): Sample[] =>
    blocks.flatMap(({ labels, base }) =>
      MESSAGE_DIRECTIONS.flatMap((direction, i) => {
        if (memory.sum(base + ListenerSlot.messages + i) === 0) return [];
        return [plain({ ...labels, direction }, memory.sum(base + slot + i))];
      }),
    );
  return [
    gauge(
      "millrace_tunnels_active",
      "Tunnels open now, by what they were opened as.",
      samples(ListenerSlot.tunnels),
    ),
    counter("millrace_tunnels_total", "Tunnels opened.", samples(ListenerSlot.tunnelsOpened)),
    counter(
      "millrace_websocket_messages_total",
      "Messages of WebSockets that a program looked at, by who sent them.",
      messages(ListenerSlot.messages),
    ),
    counter(
      "millrace_websocket_message_bytes_total",
      "Bytes of these messages, inflated.",
      messages(ListenerSlot.messageBytes),
    ),
  ];
}

interface Block {
  readonly labels: Labels;
  readonly base: number;
}

const perBlock = (blocks: readonly Block[], memory: CounterMemory, slot: number): Sample[] =>
  blocks.map(({ labels, base }) => plain(labels, memory.sum(base + slot)));

function statusSamples(labels: Labels, base: number, memory: CounterMemory): Sample[] {
  const samples: Sample[] = [];
  for (let status = 0; status < STATUSES; status++) {
    const value = memory.sum(base + status);
    if (value > 0) samples.push(plain({ ...labels, code: String(status) }, value));
  }
  return samples;
}

function errorSamples(labels: Labels, base: number, memory: CounterMemory): Sample[] {
  const samples: Sample[] = [];
  for (const source of ERROR_SOURCES) {
    for (const code of ERROR_CODES) {
      const value = memory.sum(base + errorSlot(code, source));
      if (value > 0) samples.push(plain({ ...labels, code, source }, value));
    }
  }
  return samples;
}

function codeSamples(labels: Labels, base: number, memory: CounterMemory): Sample[] {
  return ERROR_CODES.flatMap((code, i) => {
    const value = memory.sum(base + i);
    return value > 0 ? [plain({ ...labels, code }, value)] : [];
  });
}

function histogram(
  name: string,
  help: string,
  blocks: readonly Block[],
  offset: number,
  memory: CounterMemory,
): MetricFamily {
  const samples = blocks.flatMap(({ labels, base }): Sample[] => {
    const reading = readHistogram(memory, base + offset);
    const bucket = (le: string, value: number): Sample => ({
      suffix: "_bucket",
      labels: { ...labels, le },
      value,
    });
    return [
      ...DURATION_BOUNDS.map((bound, i) => bucket(String(bound / 1e6), reading.cumulative[i]!)),
      bucket("+Inf", reading.count),
      { suffix: "_sum", labels, value: reading.sum / 1e6 },
      { suffix: "_count", labels, value: reading.count },
    ];
  });
  return { name, help, type: "histogram", samples };
}

/** A counter's family. */
export const counter = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name,
  help,
  type: "counter",
  samples,
});

/** A gauge's family. */
export const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name,
  help,
  type: "gauge",
  samples,
});

/** A sample of a counter or gauge. */
export const plain = (labels: Labels, value: number): Sample => ({ suffix: "", labels, value });
