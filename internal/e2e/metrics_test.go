package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// The figures are on a listener of their own, and say nothing of anybody.
func TestMetricsHaveAListenerOfTheirOwn(t *testing.T) {
	t.Parallel()
	addr := process.FreeAddr(t)
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_DEMO=true", "SHOP_METRICS_ADDR="+addr)
	v := visit(t, shop)
	v.signIn("alice")
	tickets := []string{v.ticket()}
	v.get("/cart?secret=hush")
	if p := v.get("/metrics"); p.status != http.StatusNotFound {
		t.Errorf("the shop itself answers /metrics with %d", p.status)
	}
	operator := &visitor{t, "http://" + addr, http.DefaultClient}
	p := operator.get("/metrics")
	for _, want := range []string{
		"shop_sessions_live 1\n",
		"shop_sessions_made_total 1\n",
		`shop_sign_ins_total{result="ok"} 1` + "\n",
		`shop_http_requests_total{code="303",method="POST",route="/login"} 1` + "\n",
		`shop_http_requests_total{code="404",method="GET",route="none"} 1` + "\n",
		`shop_session_store_seconds_count{call="load"} `,
		"shop_db_connections_open ",
		"go_goroutines ",
	} {
		if !strings.Contains(p.body, want) {
			t.Errorf("the figures lack %q", want)
		}
	}
	for _, secret := range append(tickets, "alice@example.com", "hush") {
		if strings.Contains(p.body, secret) {
			t.Errorf("the figures tell %q", secret)
		}
	}
	for _, other := range []string{"/", "/debug/pprof/", "/cart"} {
		if p := operator.get(other); p.status != http.StatusNotFound {
			t.Errorf("the metrics' listener answers %s with %d", other, p.status)
		}
	}
}
