package main

var ofSeveralServers = []mutant{
	{"a shop that drains says that it is ready", "internal/web/health.go",
		`if s.draining.Load() {`, `if false {`,
		"internal/e2e", "TestDrainingShop"},
	{"a shop that drains keeps its connections", "internal/web/web.go",
		`if s.draining.Load() {`, `if false {`,
		"internal/e2e", "TestDrainingShop"},
	{"a shop that is asked to drain closes at once", "cmd/shop/serve.go",
		`if c.Drain == 0 {`, `if true {`,
		"internal/e2e", "TestDrainingShop"},
	{"a server that is dead answers for the others", "internal/e2e/scale/haproxy.cfg",
		`retry-on conn-failure`, `retry-on none`,
		"internal/e2e/scale", "TestThreeServersAreOneShop/postgres/Alice"},
	{"the load balancer takes a visitor's word for the address", "internal/e2e/scale/haproxy.cfg",
		`http-request set-header X-Forwarded-For %[src]`, ``,
		"internal/e2e/scale", "TestThreeServersAreOneShop/postgres/nobody"},
}
