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

	"github.com/jackc/pgx/v5/pgxpool"
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
	letGo := hold(t, db)
	alice.client.CheckRedirect = stay
	var flight sync.WaitGroup
	var landed page
	flight.Go(func() { landed = alice.add("camel-overcoat") })
	waitForTheHeld(t, db)

	shop.Interrupt()
	for { // until the door is closed
		conn, err := net.DialTimeout("tcp", shop.Addr, time.Second)
		if err != nil {
			break
		}
		conn.Close()
	}
	letGo()
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

// Somebody who does not want to wait for the requests in flight asks twice.
func TestSecondSignalEndsTheShopAtOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	db := connect(t, database)
	shop := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	alice := visit(t, shop)
	alice.add("camel-overcoat")
	letGo := hold(t, db)
	defer letGo()
	var flight sync.WaitGroup
	defer flight.Wait()
	flight.Go(func() {
		// No answer is what she gets.
		if answer, err := alice.client.PostForm(shop.URL+"/cart/items", url.Values{"product": {"camel-overcoat"}, "quantity": {"1"}}); err == nil {
			answer.Body.Close()
			t.Errorf("the request in flight is answered: %s", answer.Status)
		}
	})
	waitForTheHeld(t, db)

	shop.Interrupt()
	shop.WaitFor("closing")
	shop.Interrupt()
	if code := shop.Exit(); code == 0 {
		t.Error("cut off in the middle of a request, the shop ends as if all were well")
	}
}

// hold keeps every line of every cart locked until it is let go.
func hold(t *testing.T, db *pgxpool.Pool) (letGo func()) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM cart_items FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// waitForTheHeld returns when somebody waits for what is held.
func waitForTheHeld(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	for waiting := false; !waiting; {
		err := db.QueryRow(t.Context(), `
			SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// ASVS 4.1.3: everybody can write X-Forwarded-For; it counts only if a proxy
// of ours did, and then only what that proxy itself has seen.
func TestForwardedAddressCountsFromATrustedProxyAlone(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	for _, c := range []struct{ name, proxies, logged string }{
		{"no proxies", "", "address=127.0.0.1"},
		{"others", "10.0.0.0/8", "address=127.0.0.1"},
		{"this one", "127.0.0.0/8", "address=203.0.113.7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			settings := []string{"DATABASE_URL=" + database}
			if c.proxies != "" {
				settings = append(settings, "SHOP_TRUSTED_PROXIES="+c.proxies)
			}
			shop := process.Open(t, settings...)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, shop.URL+"/products/forwarded", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.7")
			request.Header.Set("X-Forwarded-Proto", "https") // nobody's word counts for that: see --public-url
			request.Header.Set("X-Forwarded-Host", "evil.example")
			p := visit(t, shop).read(http.DefaultClient.Do(request))
			if p.header.Get("Strict-Transport-Security") != "" || strings.Contains(p.body, "evil.example") {
				t.Error("the shop believes what a header says of its own address")
			}
			shop.WaitFor("path=/products/forwarded")
			for line := range strings.Lines(shop.Output()) {
				if strings.Contains(line, "path=/products/forwarded") && !strings.Contains(line, c.logged+"\n") {
					t.Errorf("want %s, and the log says %s", c.logged, line)
				}
			}
		})
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
