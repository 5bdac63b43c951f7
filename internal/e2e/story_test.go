// Package e2e_test tells Alice's story to the shop as it ships: the real
// program, its server stopped, killed and started again, on a real Postgres.
package e2e_test

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestAlicesStory(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	db := connect(t, database)
	shop := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	alice := visit(t, shop)

	// She looks around, and the server remembers nothing.
	alice.get("/").is(t, "", "0")
	alice.get("/products/camel-overcoat").is(t, "", "0")
	if n := sessionCount(t, db); alice.ticket() != "" || n != 0 {
		t.Errorf("a visitor who looked around carries %q; there are %d sessions", alice.ticket(), n)
	}

	// Her first coat makes a session.
	for _, slug := range []string{"camel-overcoat", "navy-peacoat", "yellow-raincoat"} {
		alice.add(slug)
	}
	alice.get("/cart").is(t, "", "3")
	guest := alice.ticket()
	if !hasSession(t, db, guest) {
		t.Error("the server has no session for her ticket")
	}

	// Signing in, she gets another ticket, and the old one dies.
	alice.signIn("alice").is(t, "Alice", "3")
	ticket := alice.ticket()
	if ticket == guest || hasSession(t, db, guest) || !hasSession(t, db, ticket) {
		t.Error("after the sign-in the old ticket is good, or the new one is not")
	}
	thief := visit(t, shop)
	thief.carry(guest)
	thief.get("/").is(t, "", "0")

	// She is known on every page.
	for _, path := range []string{"/", "/products/navy-peacoat", "/cart", "/checkout", "/orders"} {
		p := alice.get(path).is(t, "Alice", "3")
		if !strings.Contains(p.body, `action="/logout"`) {
			t.Errorf("%s has no way to sign out", path)
		}
	}

	// The server is killed, and started again. She is still signed in.
	shop.Kill()
	shop.Start()
	alice.get("/cart").is(t, "Alice", "3")
	shop.Stop()
	shop.Start()
	alice.get("/cart").is(t, "Alice", "3")

	// She orders.
	form := alice.get("/checkout")
	order := alice.post("/checkout", "name", "Alice", "address", "1 Rail Road", "order_key", form.field("order_key")).is(t, "Alice", "0")
	if !strings.HasPrefix(order.path, "/orders/") || order.total() != form.total() {
		t.Errorf("the order is at %s and costs %s; want %s", order.path, order.total(), form.total())
	}

	if strings.Contains(shop.Output(), ticket) {
		t.Error("her ticket is in the log, where others may read it")
	}

	// She signs out, and a copy of her ticket is worth nothing, on any server.
	if after := alice.post("/logout").is(t, "", "0"); !strings.Contains(after.message(), "signed out") {
		t.Errorf("after the sign-out she is told %q", after.message())
	}
	if hasSession(t, db, ticket) || alice.ticket() != "" {
		t.Error("after the sign-out there is still a session, or a cookie")
	}
	second := process.Open(t, "DATABASE_URL="+database)
	for _, server := range []*process.Shop{shop, second} {
		replay := visit(t, server)
		replay.carry(ticket)
		replay.get("/").is(t, "", "0")
		if p := replay.get(order.path); p.status != http.StatusOK || !strings.HasPrefix(p.path, "/login?next=") {
			t.Errorf("a dead ticket opens %s: %d", p.path, p.status)
		}
	}
}

// What one server ends, has ended on all of them.
func TestSignOutOnOneServerIsSignOutOnAll(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	first := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	second := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	alice, elsewhere := visit(t, first), visit(t, second)
	alice.signIn("alice")
	elsewhere.carry(alice.ticket())
	elsewhere.get("/").is(t, "Alice", "0")
	alice.post("/logout")
	elsewhere.get("/").is(t, "", "0")
}

// A visitor who was away for too long is told so, and comes back to where
// they were going.
func TestTimedOutVisitorIsToldAndLedOn(t *testing.T) {
	t.Parallel()
	for _, column := range []string{"idle_until", "until"} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			database := pgtest.URL(t)
			db := connect(t, database)
			shop := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
			alice := visit(t, shop)
			alice.signIn("alice")
			if _, err := db.Exec(t.Context(), `UPDATE sessions SET `+column+` = now() - interval '1 second'`); err != nil {
				t.Fatal(err)
			}
			p := alice.get("/orders")
			if p.path != "/login?next=%2Forders" || !strings.Contains(p.message(), "session has ended") && !strings.Contains(p.message(), "it has ended") {
				t.Errorf("she is at %s and is told %q", p.path, p.message())
			}
			if n := sessionCount(t, db); n != 0 || alice.ticket() != "" {
				t.Errorf("there are %d sessions, and she carries %q", n, alice.ticket())
			}
			alice.add("camel-overcoat").is(t, "", "1")
			back := alice.post("/login", "email", "alice@example.com", "password", "coat-check-alice", "next", "/orders").is(t, "Alice", "1")
			if back.path != "/orders" {
				t.Errorf("signed in again, she is at %s", back.path)
			}
		})
	}
}

func connect(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func sessionCount(t *testing.T, db *pgxpool.Pool) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// hasSession looks for the row of a ticket: it is filed under the ticket's hash.
func hasSession(t *testing.T, db *pgxpool.Pool, ticket string) (found bool) {
	t.Helper()
	key := sha256.Sum256([]byte(ticket))
	if err := db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM sessions WHERE key = $1)`, key[:]).Scan(&found); err != nil {
		t.Fatal(err)
	}
	return found
}
