import { expect, test } from "vitest";
import { CounterMemory } from "./counters.ts";
import { renderExposition } from "./exposition.ts";
import { MetricLayout } from "./layout.ts";
import { trafficFamilies } from "./metrics.ts";
import { MetricRecorder } from "./recorder.ts";

function fixture(workers = 1) {
  const layout = new MetricLayout({ listeners: ["web", "api"], upstreams: ["app"] });
  const memory = new CounterMemory(layout.slots, workers);
  const recorders = Array.from(
    { length: workers },
    (_, i) => new MetricRecorder(layout, memory.row(i)),
  );
  const text = () => renderExposition(trafficFamilies(layout, memory));
  return { layout, memory, recorders, text };
}

test("requests of two workers, scraped, add up by listener and code", () => {
  const { recorders, text } = fixture(2);
  recorders[0]!.request("web", 200, 300, 10, 100);
  recorders[1]!.request("web", 200, 900_000, 10, 100);
  recorders[1]!.request("api", 502, 1_000, 1, 2);
  expect(text()).toContain('millrace_http_requests_total{listener="web",code="200"} 2\n');
  expect(text()).toContain('millrace_http_requests_total{listener="api",code="502"} 1\n');
  expect(text()).toContain('millrace_http_response_bytes_total{listener="web"} 200\n');
  expect(text()).toContain(
    'millrace_http_request_duration_seconds_bucket{listener="web",le="0.0005"} 1\n',
  );
  expect(text()).toContain(
    'millrace_http_request_duration_seconds_bucket{listener="web",le="+Inf"} 2\n',
  );
  expect(text()).toContain('millrace_http_request_duration_seconds_sum{listener="web"} 0.9003\n');
  expect(text()).toContain('millrace_http_request_duration_seconds_count{listener="web"} 2\n');
});

test("errors, counted, show code and source; unknown ones count as internal", () => {
  const { recorders, text } = fixture();
  recorders[0]!.requestError("web", "FIRST_BYTE_TIMEOUT", "upstream");
  recorders[0]!.requestError("web", "NEVER_HEARD_OF", "nobody");
  expect(text()).toContain(
    'millrace_http_errors_total{listener="web",code="FIRST_BYTE_TIMEOUT",source="upstream"} 1\n',
  );
  expect(text()).toContain('{listener="web",code="INTERNAL",source="internal"} 1\n');
});

test("versions, streams, resets and faults of http/2, counted, show by listener and reason", () => {
  const layout = new MetricLayout({ listeners: ["web"], upstreams: [], http2Faults: ["window"] });
  const memory = new CounterMemory(layout.slots, 1);
  const recorder = new MetricRecorder(layout, memory.row(0));
  recorder.requestProtocol("web", "h2");
  recorder.requestProtocol("web", "h2");
  recorder.requestProtocol("web", "http/1.0");
  recorder.http2Opened("web");
  recorder.http2StreamOpened("web");
  recorder.http2StreamReset("web");
  recorder.http2Fault("web", "window");
  recorder.http2Fault("elsewhere", "never heard of");
  const text = renderExposition(trafficFamilies(layout, memory));
  const counted = (line: string): void => expect(text).toContain(`millrace_${line}\n`);
  counted('http_requests_by_protocol_total{listener="web",protocol="h2"} 2');
  counted('http_requests_by_protocol_total{listener="web",protocol="http/1.0"} 1');
  counted('http2_connections_total{listener="web"} 1');
  counted('http2_streams_total{listener="web"} 1');
  counted('http2_streams_reset_total{listener="web"} 1');
  counted('http2_faults_total{listener="web",reason="window"} 1');
  counted('http2_faults_total{listener="other",reason="other"} 1');
});

test("tunnels, opened and closed, show by kind; a dead worker's are open no more", () => {
  const { layout, memory, recorders, text } = fixture();
  recorders[0]!.tunnelOpened("web", "websocket");
  recorders[0]!.tunnelOpened("web", "websocket");
  recorders[0]!.tunnelClosed("web", "websocket");
  expect(text()).toContain('millrace_tunnels_active{listener="web",kind="websocket"} 1\n');
  expect(text()).toContain('millrace_tunnels_total{listener="web",kind="websocket"} 2\n');
  expect(text()).not.toContain('kind="connect"');
  recorders[0]!.webSocketMessage("web", "from-client", 70);
  const labels = '{listener="web",direction="from-client"}';
  expect(text()).toContain(`millrace_websocket_messages_total${labels} 1\n`);
  expect(text()).toContain(`millrace_websocket_message_bytes_total${labels} 70\n`);
  new MetricRecorder(layout, memory.row(0));
  expect(text()).toContain('millrace_tunnels_active{listener="web",kind="websocket"} 0\n');
});

test("an upstream by address, counted, gets no label of its own", () => {
  const { recorders, text } = fixture();
  recorders[0]!.upstreamRequest("127.0.0.1:4711", true, 5, 10);
  recorders[0]!.upstreamRequest("app", false, 2_000, null);
  recorders[0]!.connectionOpened("not configured");
  expect(text()).not.toContain("4711");
  expect(text()).toContain('millrace_upstream_requests_reused_total{upstream="by-address"} 1\n');
  expect(text()).toContain('millrace_upstream_connect_duration_seconds_count{upstream="app"} 1\n');
  expect(text()).toContain('millrace_connections_active{listener="other"} 1\n');
});

test("a dead worker's row, taken over, keeps counters and restarts gauges", () => {
  const { layout, memory, recorders, text } = fixture();
  recorders[0]!.connectionOpened("web");
  recorders[0]!.upstreamConnected("app");
  new MetricRecorder(layout, memory.row(0)).connectionOpened("web");
  expect(text()).toContain('millrace_connections_accepted_total{listener="web"} 2\n');
  expect(text()).toContain('millrace_connections_active{listener="web"} 1\n');
  expect(text()).toContain('millrace_upstream_connections_active{upstream="app"} 0\n');
});

test("retries and failed connections, counted, are told apart by code", () => {
  const { recorders, text } = fixture();
  recorders[0]!.retried("app", "ECONNRESET");
  recorders[0]!.upstreamConnectFailed("app", "ECONNREFUSED");
  expect(text()).toContain('millrace_upstream_retries_total{upstream="app",code="ECONNRESET"} 1\n');
  expect(text()).toContain(
    'millrace_upstream_connect_errors_total{upstream="app",code="ECONNREFUSED"} 1\n',
  );
});

test("every family, rendered, has a unique name of the right form", () => {
  const { layout, memory } = fixture();
  const families = trafficFamilies(layout, memory);
  expect(new Set(families.map((f) => f.name)).size).toBe(families.length);
  for (const family of families) {
    expect(family.name).toMatch(/^millrace_[a-z][a-z0-9_]*$/);
    expect(family.name.endsWith("_total")).toBe(family.type === "counter");
  }
});

test("coded bodies, counted, show bytes before and after by direction and coding", () => {
  const { recorders, text } = fixture();
  recorders[0]!.bodyCoded("web", "encode", "zstd", 1_000, 100);
  recorders[0]!.bodyCoded("web", "encode", "zstd", 500, 60);
  recorders[0]!.bodyCoded("web", "decode", "deflate", 10, 90);
  const labels = 'listener="web",direction="encode",coding="zstd"';
  expect(text()).toContain(`millrace_coded_bodies_total{${labels}} 2\n`);
  expect(text()).toContain(`millrace_coded_bytes_in_total{${labels}} 1500\n`);
  expect(text()).toContain(`millrace_coded_bytes_out_total{${labels}} 160\n`);
  expect(text()).toContain(
    'millrace_coded_bytes_out_total{listener="web",direction="decode",coding="deflate"} 90\n',
  );
  expect(text()).not.toContain('coding="br"');
});

test("calls of gRPC, counted, show by route and status; what is unknown counts as other", () => {
  const layout = new MetricLayout({
    listeners: ["web"],
    upstreams: [],
    calls: { routes: [{ listener: "web", route: "api" }], statuses: ["OK", "CANCELLED"] },
  });
  const memory = new CounterMemory(layout.slots, 2);
  const recorders = [0, 1].map((i) => new MetricRecorder(layout, memory.row(i)));
  recorders[0]!.grpcCall("web", "api", 0);
  recorders[1]!.grpcCall("web", "api", 0);
  recorders[1]!.grpcCall("web", "made up", 1);
  recorders[1]!.grpcCall("elsewhere", "api", 77);
  const lines = renderExposition(trafficFamilies(layout, memory))
    .split("\n")
    .filter((line) => line.startsWith("millrace_grpc_calls_total"));
  expect(lines).toEqual([
    'millrace_grpc_calls_total{listener="web",route="api",grpc_status="OK"} 2',
    'millrace_grpc_calls_total{listener="web",route="other",grpc_status="CANCELLED"} 1',
    'millrace_grpc_calls_total{listener="other",route="other",grpc_status="other"} 1',
  ]);
});
