/**
 * HTTP/2 in plain to HTTP/1.1 with node:http2 and node:http, as http-proxy does for HTTP/1.1: fields are
 * copied, bodies piped. Run by node-http2.ts: PORT ORIGIN-PORT.
 */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { createServer, type OutgoingHttpHeaders } from "node:http2";

const [port, originPort] = process.argv.slice(2);
const agent = new Agent({
  keepAlive: true,
  maxSockets: Number.POSITIVE_INFINITY,
  maxFreeSockets: 1024,
});
const ofConnections = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade"]);

createServer((request, response) => {
  const headers: OutgoingHttpHeaders = { host: request.authority };
  for (const [name, value] of Object.entries(request.headers)) {
    if (!name.startsWith(":")) headers[name] = value;
  }
  const upstream = httpRequest(
    {
      host: "127.0.0.1",
      port: Number(originPort),
      method: request.method,
      path: request.url,
      headers: headers as IncomingHttpHeaders,
      agent,
    },
    (answer) => {
      const fields: OutgoingHttpHeaders = {};
      for (const [name, value] of Object.entries(answer.headers)) {
        if (!ofConnections.has(name)) fields[name] = value;
      }
      response.writeHead(answer.statusCode ?? 502, fields);
      answer.pipe(response);
    },
  );
  upstream.on("error", () => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
  request.pipe(upstream);
}).listen(Number(port), "127.0.0.1", 4096);
