-- One megabyte a request. The request is built once, before the run, so that wrk only writes.
wrk.method = "POST"
wrk.body = string.rep("u", 1024 * 1024)
wrk.headers["Content-Type"] = "application/octet-stream"
