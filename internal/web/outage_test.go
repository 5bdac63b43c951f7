package web_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A line to Postgres can be cut, as a network can.
type line struct {
	mu   sync.Mutex
	down bool
	open []net.Conn
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("the line is cut")}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		l.open = append(l.open, conn)
	}
	return conn, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, conn := range l.open {
		conn.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// over opens a pool whose connections go over the line.
func (l *line) over(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.DialFunc = l.dial
	db, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// untilReady waits until the pool has found out which connections are dead.
func (s *shop) untilReady() {
	s.t.Helper()
	b := s.browser()
	s.until("the shop is ready", func() bool { return b.get("/readyz").StatusCode == http.StatusOK })
}

// X11, X12: an outage is no sign-out, and a sign-out that did not happen is
// not reported as done.
func TestOutageKeepsEverybodySignedIn(t *testing.T) {
	t.Parallel()
	toPostgres := &line{}
	s := openOn(t, toPostgres.over(t, pgtest.URL(t)))
	alice, stranger := s.signedInAs("alice"), s.browser()
	alice.add("camel-overcoat")
	ticket := alice.ticket()

	toPostgres.cut()
	for _, a := range []answer{
		alice.get("/"), alice.get("/orders"), alice.get("/nowhere"), alice.get("/login"),
		alice.post("/cart/items", "product", "navy-peacoat", "quantity", "1"),
		alice.buy(someKey),
		alice.post("/logout"),
		alice.get("/account"), alice.get("/account/sessions"), alice.get("/admin"), alice.get("/session"), alice.post("/session/extend"),
		alice.changePassword(alicesPassword, newPassword), alice.post("/account/sessions/revoke-others"),
		alice.post("/login", "email", "bob@example.com", "password", "coat-check-bob"),
		stranger.get("/"),
		stranger.post("/cart/items", "product", "navy-peacoat", "quantity", "1"),
		stranger.post("/login", "email", "alice@example.com", "password", "coat-check-alice"),
		stranger.post("/login", "email", "alice@example.com", "password", "wrong"),
		stranger.post("/signup", "name", "Carol", "email", "carol@example.com", "password", "a long enough one"),
	} {
		a.is(http.StatusServiceUnavailable)
		if a.Header.Get("Retry-After") == "" || len(a.sets("session")) != 0 || a.text("account-name") != "" {
			t.Errorf("%s: Retry-After %q, sets %v, knows %q", a.what(), a.Header.Get("Retry-After"), a.sets("session"), a.text("account-name"))
		}
	}
	stranger.get("/healthz").is(http.StatusOK)
	stranger.get("/readyz").is(http.StatusServiceUnavailable)
	stranger.get("/cart").is(http.StatusOK) // which needs nobody's data

	toPostgres.mend()
	s.untilReady()
	page := alice.get("/cart").is(http.StatusOK)
	if page.text("account-name") != "Alice" || page.cartCount() != 1 || alice.ticket() != ticket {
		t.Errorf("after the outage %q has %d pieces", page.text("account-name"), page.cartCount())
	}
	alice.post("/logout").leadsTo("/")
}

// The session store may be another server than the shop's database.
func TestOutageOfTheSessionStoreAloneIsNoSignOut(t *testing.T) {
	t.Parallel()
	toStore := &line{}
	url := pgtest.URL(t)
	db := toStore.over(t, url)
	s := openOn(t, (&line{}).over(t, url), func(c *web.Config) { c.Store = pgstore.New(db) })
	alice, guest, stranger := s.signedInAs("alice"), s.browser(), s.browser()
	guest.add("camel-overcoat")

	toStore.cut()
	alice.get("/orders").is(http.StatusServiceUnavailable)
	alice.post("/logout").is(http.StatusServiceUnavailable)
	stranger.get("/").is(http.StatusOK)
	for _, a := range []answer{
		stranger.post("/cart/items", "product", "navy-peacoat", "quantity", "1"),
		stranger.post("/login", "email", "alice@example.com", "password", "coat-check-alice"),
		guest.post("/login", "email", "alice@example.com", "password", "coat-check-alice"),
		stranger.get("/readyz"),
	} {
		a.is(http.StatusServiceUnavailable) // X10: not done, not said to be done
		if len(a.sets("session")) != 0 {
			t.Errorf("%s sets %v", a.what(), a.sets("session"))
		}
	}
	toStore.mend()
	s.untilReady()
	alice.get("/orders").is(http.StatusOK)
	guest.signIn("alice")
	if n := guest.get("/cart").cartCount(); n != 1 {
		t.Errorf("after the outage the merged cart holds %d pieces, want 1", n)
	}
}

// X10, X12: the store fails at the one step that matters, when all before it
// has gone well.
func TestWhatTheStoreDidNotDoIsNotReportedAsDone(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, guest := s.signedInAs("alice"), s.browser()
	guest.add("camel-overcoat")
	s.exec(`
		CREATE FUNCTION shut_down() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE 'the store is shutting down' USING ERRCODE = 'admin_shutdown'; END $$`)
	s.exec(`CREATE TRIGGER shut_down BEFORE INSERT OR DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION shut_down()`)
	for _, a := range []answer{
		alice.post("/logout"),
		s.browser().post("/login", "email", "alice@example.com", "password", "coat-check-alice"),
		guest.post("/login", "email", "alice@example.com", "password", "coat-check-alice"),
		s.browser().post("/cart/items", "product", "navy-peacoat", "quantity", "1"),
	} {
		a.is(http.StatusServiceUnavailable)
		if len(a.sets("session")) != 0 {
			t.Errorf("%s has failed and sets %v", a.what(), a.sets("session"))
		}
	}
	alice.get("/orders").is(http.StatusOK) // still signed in, and knows it
	s.exec(`DROP TRIGGER shut_down ON sessions`)
	alice.post("/logout").leadsTo("/")
	guest.signIn("alice")
	if n := guest.get("/cart").cartCount(); n != 1 {
		t.Errorf("the merged cart holds %d pieces, want the guest's 1", n)
	}
}

func TestReadyNeedsPostgresAndHealthNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := b.get(path).is(http.StatusOK); a.body != "ok" {
			t.Errorf("%s says %q", path, a.body)
		}
	}
	s.db.Close()
	b.get("/healthz").is(http.StatusOK)
	if a := b.get("/readyz").is(http.StatusServiceUnavailable); strings.Contains(a.body, "closed pool") {
		t.Errorf("/readyz tells what is inside: %q", a.body)
	}
}

// A store that has lost its table answers, and cannot serve.
func TestReadyNeedsTheSessionStore(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.exec(`ALTER TABLE sessions RENAME TO gone`)
	s.browser().get("/readyz").is(http.StatusServiceUnavailable)
}
