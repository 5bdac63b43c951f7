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
}
