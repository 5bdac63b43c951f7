package postgres_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
)

func TestOpenSetsUpItsConnections(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var application, zone, plans string
	err := pool.QueryRow(t.Context(), `SELECT current_setting('application_name'), current_setting('timezone'), current_setting('plan_cache_mode')`).
		Scan(&application, &zone, &plans)
	if err != nil {
		t.Fatal(err)
	}
	if application != "coatcheck" || zone != "UTC" || plans != "force_generic_plan" {
		t.Errorf("application %q in time zone %q, which plans by %q", application, zone, plans)
	}
	if n := pool.Config().MaxConns; n != 8 {
		t.Errorf("at most %d connections", n)
	}
}

func TestTheURLHasTheLastWordOnThePool(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), with(t, pgtest.URL(t), "pool_max_conns", "3"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if n := pool.Config().MaxConns; n != 3 {
		t.Errorf("at most %d connections", n)
	}
}

func with(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

type countQueries struct{ n int }

func (c *countQueries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n++
	return ctx
}

func (c *countQueries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestTheTracerHearsOfEveryQuery(t *testing.T) {
	t.Parallel()
	var queries countQueries
	pool := pgtest.NewTraced(t, &queries)
	before := queries.n
	if _, err := pool.Exec(t.Context(), `SELECT 1`); err != nil {
		t.Fatal(err)
	}
	if queries.n != before+1 {
		t.Errorf("it heard of %d queries", queries.n-before)
	}
}

const secret = "hunter2-hunter2"

func TestABadURLIsOneLineWithoutThePassword(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"postgres://shop:" + secret + "@host:port/shop",
		"postgres://shop:" + secret + "@host:5432/shop?sslmode=perhaps",
		"postgres://shop:" + secret + "@host:5432/shop?pool_max_conns=many",
		"postgres://shop:" + secret + "%zz@host/shop",
		"postgres://shop:" + secret + "@ho st/shop",
		"host=localhost password=" + secret + " port=many",
		"host=localhost password='" + secret,
		"mysql://shop:" + secret + "@host/shop",
		"shop:" + secret + "@host/shop",
		"\x00" + secret,
	} {
		_, err := postgres.Open(t.Context(), bad, nil)
		if !errors.Is(err, postgres.ErrBadURL) {
			t.Errorf("%q: got %v", bad, err)
			continue
		}
		checkMessage(t, err)
	}
}

func checkMessage(t *testing.T, err error) {
	t.Helper()
	switch message := err.Error(); {
	case !strings.HasPrefix(message, "DATABASE_URL: "):
		t.Errorf("the setting is not named: %s", message)
	case strings.Contains(message, "hunter2"):
		t.Errorf("the password is told: %s", message)
	case strings.Contains(message, "\n"):
		t.Errorf("more than one line: %s", message)
	}
}

func TestWhatOnlyRunningCanShowIsOneLineWithoutThePassword(t *testing.T) {
	t.Parallel()
	closed, silent := listen(t), listen(t)
	closed.Close()
	good, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	stranger, elsewhere := *good, *good
	stranger.User = url.UserPassword("stranger", secret)
	elsewhere.Path = "/elsewhere"
	for want, address := range map[string]string{
		"refused":                       "postgres://shop:" + secret + "@" + closed.Addr().String() + "/shop",
		"it took too long":              "postgres://shop:" + secret + "@" + silent.Addr().String() + "/shop",
		"no such host":                  "postgres://shop:" + secret + "@shop.invalid/shop",
		"lets user \"stranger\" not in": stranger.String(),
		"has no database \"elsewhere\"": elsewhere.String(),
	} {
		patience := time.Minute
		if want == "it took too long" {
			patience = 500 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := postgres.Open(ctx, address, nil)
		cancel()
		if err == nil || errors.Is(err, postgres.ErrBadURL) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
			continue
		}
		checkMessage(t, err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
