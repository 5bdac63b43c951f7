package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/metrics"
	"coatcheck/internal/web"
)

func TestFiguresCountTheLivesOfSessions(t *testing.T) {
	t.Parallel()
	counts := metrics.New()
	s := open(t, func(c *web.Config) { c.Metrics = counts })

	guest := s.browser()
	guest.add("camel-overcoat") // made
	guest.signIn("alice")       // moved
	second, third, late := s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("bob")
	second.post("/account/sessions/revoke-others").is(http.StatusSeeOther) // two revoked
	third.get("/").is(http.StatusOK)                                       // unknown
	second.post("/logout").is(http.StatusSeeOther)                         // signed out
	s.clock.advance(time.Hour)
	late.get("/").is(http.StatusOK) // timed out
	malformed := s.browser()
	malformed.hold("short")
	malformed.get("/").is(http.StatusOK)
	malformed.post("/login", "email", "alice@example.com", "password", "wrong").is(http.StatusUnprocessableEntity)
	s.browser().get("/products/none").is(http.StatusNotFound)

	scrape := httptest.NewRecorder()
	counts.Handler().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	figures, err := io.ReadAll(scrape.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"shop_sessions_made_total 4",
		"shop_sessions_moved_total 1",
		`shop_sessions_ended_total{cause="revoked"} 2`,
		`shop_sessions_ended_total{cause="signed out"} 1`,
		`shop_sessions_ended_total{cause="idle timeout"} 1`,
		`shop_tickets_refused_total{why="unknown"} 1`,
		`shop_tickets_refused_total{why="malformed"} 2`,
		`shop_sign_ins_total{result="ok"} 4`,
		`shop_sign_ins_total{result="wrong"} 1`,
		`shop_session_store_seconds_count{call="move"} 1`,
		`shop_http_requests_total{code="303",method="POST",route="/login"} 4`,
		`shop_http_requests_total{code="404",method="GET",route="/products/{slug}"} 1`,
	} {
		if !strings.Contains(string(figures), want+"\n") {
			t.Errorf("the figures lack %s", want)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(string(figures)) {
			if strings.HasPrefix(line, "shop_") && !strings.Contains(line, "_bucket") {
				t.Log(line)
			}
		}
	}
}
