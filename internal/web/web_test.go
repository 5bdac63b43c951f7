package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"testing/fstest"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"
	"coatcheck/static"
	"coatcheck/templates"
)

func TestSweepClearsAwayWhatIsOver(t *testing.T) {
	t.Parallel()
	s := open(t)
	old := s.browser()
	old.add("camel-overcoat")
	old.post("/login", "email", "alice@example.com", "password", "wrong")
	s.clock.advance(lifetime + time.Minute)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	guest := s.browser()
	guest.add("camel-overcoat")

	ctx, stop := context.WithCancel(t.Context())
	swept := make(chan struct{})
	go func() {
		s.Sweep(ctx, time.Millisecond, sessions.DefaultPolicy.Lifetime)
		close(swept)
	}()
	s.until("two live sessions and their carts are left", func() bool {
		return s.number(`SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM carts) + (SELECT count(*) FROM sign_in_failures)`) == 4
	})
	stop()
	<-swept
	alice.get("/orders").is(http.StatusOK)
	if n := guest.get("/cart").cartCount(); n != 1 {
		t.Errorf("the live guest's cart holds %d pieces, want 1", n)
	}
}

func TestBadConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	good := func() web.Config {
		return web.Config{DB: db, Store: pgstore.New(db), Policy: sessions.DefaultPolicy, Templates: templates.Files, Static: static.Files, Log: slog.New(slog.DiscardHandler)}
	}
	if _, err := web.New(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*web.Config){
		"an idle time of 0":    func(c *web.Config) { c.Policy.Idle = 0 },
		"a lifetime of 0":      func(c *web.Config) { c.Policy.Lifetime = 0 },
		"idle longer than all": func(c *web.Config) { c.Policy.Idle = c.Policy.Lifetime + 1 },
		"a public path":        func(c *web.Config) { c.PublicURL = "https://shop.example/path" },
		"no layout":            func(c *web.Config) { c.Templates = fstest.MapFS{} },
		"an odd asset":         func(c *web.Config) { c.Static = fstest.MapFS{"x.unheard-of": {}} },
	} {
		c := good()
		spoil(&c)
		if _, err := web.New(c); err == nil {
			t.Errorf("with %s the shop opens", name)
		}
	}
}
