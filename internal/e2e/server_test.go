package e2e_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// stay keeps a client from following redirects.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Servers that start at the same moment on an empty database migrate it once.
func TestServersStartingAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.EmptyURL(t)
	var shops []*process.Shop
	for range 3 {
		shop := process.New(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
		shop.Begin()
		shops = append(shops, shop)
	}
	for _, shop := range shops {
		shop.WaitOpen()
		visit(t, shop).signIn("alice").is(t, "Alice", "0")
	}
	var twice int
	err := connect(t, database).QueryRow(t.Context(), `
		SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`).Scan(&twice)
	if err != nil || twice != 0 {
		t.Errorf("%d migrations were applied twice, %v", twice, err)
	}
}

// A server that is asked to close finishes what it has begun, and begins
// nothing more.
func TestRequestInFlightFinishes(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	db := connect(t, database)
	shop := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	alice := visit(t, shop)
	alice.add("camel-overcoat")

	// Her second coat has to wait for a row that the test holds.
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM cart_items FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	alice.client.CheckRedirect = stay
	var flight sync.WaitGroup
	var landed page
	flight.Go(func() { landed = alice.add("camel-overcoat") })
	for waiting := false; !waiting; {
		err := db.QueryRow(t.Context(), `
			SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}

	shop.Interrupt()
	for { // until the door is closed
		conn, err := net.DialTimeout("tcp", shop.Addr, time.Second)
		if err != nil {
			break
		}
		conn.Close()
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	flight.Wait()
	if landed.status != http.StatusSeeOther {
		t.Errorf("the request in flight: status %d", landed.status)
	}
	if code := shop.Exit(); code != 0 {
		t.Errorf("the shop ended with code %d:\n%s", code, shop.Output())
	}
	var pieces int
	if err := db.QueryRow(t.Context(), `SELECT quantity FROM cart_items`).Scan(&pieces); err != nil || pieces != 2 {
		t.Errorf("the cart holds %d pieces, %v", pieces, err)
	}
}

// X11: while Postgres cannot be reached, the shop says so, and nobody is
// signed out by it.
func TestDatabaseDownIsNoSignOut(t *testing.T) {
	t.Parallel()
	line := newLine(t, pgtest.URL(t))
	shop := process.Open(t, "DATABASE_URL="+line.url, "SHOP_DEMO=true")
	alice := visit(t, shop)
	alice.signIn("alice").is(t, "Alice", "0")
	ticket := alice.ticket()

	line.cut()
	p := alice.get("/orders")
	if p.status != http.StatusServiceUnavailable || p.header.Get("Retry-After") == "" || len(p.header.Values("Set-Cookie")) != 0 {
		t.Errorf("without Postgres: %d, Retry-After %q, cookies %q", p.status, p.header.Get("Retry-After"), p.header.Values("Set-Cookie"))
	}
	if p := alice.post("/logout"); p.status != http.StatusServiceUnavailable {
		t.Errorf("a sign-out that cannot be done answers %d", p.status)
	}
	if p := alice.get("/readyz"); p.status != http.StatusServiceUnavailable {
		t.Errorf("readyz: %d", p.status)
	}
	if p := alice.get("/healthz"); p.status != http.StatusOK {
		t.Errorf("healthz: %d", p.status)
	}

	line.mend()
	alice.get("/orders").is(t, "Alice", "0")
	if alice.ticket() != ticket {
		t.Error("the ticket has changed")
	}
}

// A line is the way from a shop to Postgres. It can be cut and mended.
type line struct {
	url     string
	mu      sync.Mutex
	broken  bool
	running map[net.Conn]bool
}

func newLine(t *testing.T, database string) *line {
	t.Helper()
	server := hostOf(t, database)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	l := &line{url: strings.Replace(database, server, listener.Addr().String(), 1), running: map[net.Conn]bool{}}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			far, err := net.Dial("tcp", server)
			if err != nil || !l.take(near, far) {
				near.Close()
				continue
			}
			go pass(near, far)
			go pass(far, near)
		}
	}()
	return l
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func pass(from, to net.Conn) {
	io.Copy(to, from)
	to.Close()
}

// take reports whether the line may be used, by both ends of a connection.
func (l *line) take(ends ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return false
	}
	for _, end := range ends {
		l.running[end] = true
	}
	return true
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for end := range l.running {
		end.Close()
	}
	clear(l.running)
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = false
}
