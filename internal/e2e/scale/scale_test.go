// Package scale_test runs three servers of the shop behind a load balancer, on
// one machine: what compose.scale.yaml runs in containers, with the same
// configuration of the load balancer.
package scale_test

import (
	_ "embed"
	"flag"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/catalog"
	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

func TestMain(m *testing.M) {
	// These tests wait more than they work: for a shop to drain, and for the
	// load balancer to notice. So more of them than there are cores run at once.
	flag.Set("test.parallel", "12")
	process.Main(m)
}

// haproxyConfiguration is what compose.scale.yaml gives to HAProxy, too.
//
//go:embed haproxy.cfg
var haproxyConfiguration string

// sticky is what it lacks to send a visitor to the same server each time: a
// cookie of its own, by which it knows who was sent where.
const sticky = `
	cookie stuck-to insert indirect nocache httponly dynamic
	dynamic-cookie-key of-a-test
`

// database makes a database for a fleet, which the shops may take long to
// connect to: the machine may be busy with other tests.
func database(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("connect_timeout", "30")
	q.Set("pool_ping_timeout", "30s")
	u.RawQuery = q.Encode()
	return u.String()
}

// A fleet is three shops on one database.
type fleet struct {
	t     *testing.T
	db    *pgxpool.Pool
	shops [3]*process.Shop
}

// open opens three shops at the same moment. All are told where sessions are
// by the same settings, and have the demo's accounts and products.
func open(t *testing.T, database string, settings ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, db: connect(t, database)}
	furnish(t, f.db)
	settings = append(settings, "DATABASE_URL="+database, "SHOP_DEMO=true", "SHOP_PATIENCE=14s", "SHOP_DRAIN=1s", "SHOP_TRUSTED_PROXIES=127.0.0.1/32")
	for i := range f.shops {
		f.shops[i] = process.New(t, settings...)
		f.shops[i].Begin()
	}
	for _, shop := range f.shops {
		shop.WaitOpen()
	}
	return f
}

// balance starts a load balancer before the shops. More may be added to its
// configuration.
func (f *fleet) balance(more string) (url string) {
	f.t.Helper()
	addr := process.FreeAddr(f.t)
	environment := []string{"LISTEN=" + addr, "ASK_EVERY=200ms"}
	for i, shop := range f.shops {
		environment = append(environment, fmt.Sprintf("SHOP_%d=%s", i+1, shop.Addr))
	}
	servers.HAProxy(f.t, addr, haproxyConfiguration+more, environment...)
	return "http://" + addr
}

// name is what the load balancer calls a shop.
func name(i int) string { return fmt.Sprintf("shop-%d", i+1) }

// called gives the shop that the load balancer calls so.
func (f *fleet) called(by string) *process.Shop {
	f.t.Helper()
	for i, shop := range f.shops {
		if by == name(i) {
			return shop
		}
	}
	f.t.Fatalf("there is no server called %q", by)
	return nil
}

// awaitVisitors waits until the load balancer sends visitors to a shop.
func awaitVisitors(t *testing.T, url string, i int) {
	t.Helper()
	v := visit(t, url)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for late := time.After(time.Minute); v.get("/healthz").server != name(i); {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("the load balancer sends nobody to %s", name(i))
		}
	}
}

func connect(t *testing.T, database string) *pgxpool.Pool {
	t.Helper()
	db, err := postgres.Open(t.Context(), database, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// furnish makes the demo's accounts and products, before the shops would do it.
// The passwords are hashed at the lowest cost: these tests are not about that.
func furnish(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	users, err := auth.New(auth.Config{DB: db, Cost: bcrypt.MinCost})
	if err != nil {
		t.Fatal(err)
	}
	if err := users.SeedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	// Nothing is to be sold out in the middle.
	if _, err := db.Exec(t.Context(), `UPDATE products SET stock = 1000000`); err != nil {
		t.Fatal(err)
	}
}

// Where its variables are not set, HAProxy looks for servers called as
// compose.scale.yaml calls them.
func TestConfigurationIsForComposeAsItStands(t *testing.T) {
	t.Parallel()
	servers.CheckHAProxy(t, read(t, "haproxy.cfg"))
	compose := read(t, filepath.Join("..", "..", "..", "compose.scale.yaml"))
	for _, want := range []string{"./internal/e2e/scale/haproxy.cfg:", "\n  shop-1:\n", "\n  shop-2:\n", "\n  shop-3:\n"} {
		if !strings.Contains(compose, want) {
			t.Errorf("compose.scale.yaml has no %q", want)
		}
	}
}
