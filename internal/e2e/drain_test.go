package e2e_test

import (
	"net/http"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// A server that is asked to close tells the load balancer first, and serves
// those who come until it has heard of it.
func TestDrainingShopIsNotReadyAndServes(t *testing.T) {
	t.Parallel()
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_DEMO=true", "SHOP_DRAIN=1h")
	alice := visit(t, shop)
	alice.signIn("alice").is(t, "Alice", "0")
	if p := alice.get("/readyz"); p.status != http.StatusOK || p.closes {
		t.Errorf("an open shop answers %d, and closes the connection: %t", p.status, p.closes)
	}

	shop.Interrupt()
	shop.WaitFor("draining")
	if p := alice.get("/readyz"); p.status != http.StatusServiceUnavailable {
		t.Errorf("a draining shop says that it is ready: %d", p.status)
	}
	p := alice.add("camel-overcoat").is(t, "Alice", "1")
	if !p.closes {
		t.Error("a draining shop keeps the connection for a next request")
	}
	if p := alice.get("/healthz"); p.status != http.StatusOK {
		t.Errorf("a draining shop lives, and says %d", p.status)
	}
	// Who does not want to wait for the rest of the hour asks twice.
	shop.Interrupt()
	if code := shop.Exit(); code == 0 {
		t.Error("cut off, the shop ends as if all were well")
	}
}
