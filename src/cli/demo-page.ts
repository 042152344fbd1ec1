import type { IncomingMessage } from "node:http";

/** The demo origin's front page: one file, no script, nothing loaded from elsewhere. */
export function demoPage(request: IncomingMessage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Millrace demo origin</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; }
  table { border-collapse: collapse; width: 100%; font: 14px/1.4 ui-monospace, monospace; }
  td { border-top: 1px solid #8884; padding: .3rem .6rem .3rem 0; vertical-align: top; overflow-wrap: anywhere; }
  td:first-child { white-space: nowrap; color: #07a; }
  code { font: 14px ui-monospace, monospace; }
</style>
</head>
<body>
<h1>It flows.</h1>
<p>This page comes from the origin that Millrace runs for its demonstration. Your request went through the
proxy; this is how it arrived here:</p>
<p><code>${escapeHtml(`${request.method} ${request.url} HTTP/${request.httpVersion}`)}</code></p>
<table>
${headerRows(request)}
</table>
<p>More to try:</p>
<ul>
<li><a href="/echo">/echo</a>: the request as JSON; with a body, the body as it came</li>
<li><a href="/slow?ms=1500">/slow?ms=1500</a>: an answer that takes its time</li>
<li><a href="/bytes/100000">/bytes/100000</a>: that many bytes</li>
<li><a href="/sse">/sse</a>: server-sent events, one a second</li>
<li><a href="/status/503">/status/503</a>: any status</li>
</ul>
</body>
</html>
`;
}

function headerRows(request: IncomingMessage): string {
  const rows: string[] = [];
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    rows.push(`<tr><td>${escapeHtml(raw[i]!)}</td><td>${escapeHtml(raw[i + 1]!)}</td></tr>`);
  }
  return rows.join("\n");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (c) => entities[c]!);
