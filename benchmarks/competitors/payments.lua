-- The payment that every generator sends, for wrk: its body comes from the file that BODY names.
local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.method = "POST"
wrk.path = "/payments"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Idempotency-Key"] = "bench-0000000"
file:close()
