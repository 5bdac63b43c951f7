package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
)

// roundTrips counts how often the shop asks Postgres something: a batch is
// one round trip, whatever is in it.
type roundTrips struct {
	mu   sync.Mutex
	sent []string
}

func (r *roundTrips) note(sql string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, strings.Join(strings.Fields(sql), " "))
}

// since gives what was sent since the last call.
func (r *roundTrips) since() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent
}

func (r *roundTrips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	r.note(q.SQL)
	return ctx
}

func (r *roundTrips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	var all []string
	for _, q := range b.Batch.QueuedQueries {
		all = append(all, q.SQL)
	}
	r.note("batch: " + strings.Join(all, "; "))
	return ctx
}

func (*roundTrips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (*roundTrips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*roundTrips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func TestPagesTakeTwoRoundTripsAndWriteNothing(t *testing.T) {
	t.Parallel()
	trips := &roundTrips{}
	s := openOn(t, pgtest.NewTraced(t, trips))
	alice, admin, guest, stranger, malformed, unknown := s.signedInAs("alice"), s.signedInAs("admin"), s.browser(), s.browser(), s.browser(), s.browser()
	alice.add("camel-overcoat")
	order := alice.order()
	alice.add("camel-overcoat")
	guest.add("camel-overcoat")
	malformed.hold(strings.Repeat("A", 44)) // one letter too many
	unknown.hold(unknownTicket(1))
	for _, b := range []*browser{alice, admin, guest, stranger} {
		b.get("/cart") // takes the message
	}
	asset := stranger.asset()
	before := s.picture()

	for _, c := range []struct {
		who  string
		b    *browser
		path string
		want int
	}{
		{"alice", alice, "/", 2},
		{"alice", alice, "/products/camel-overcoat", 2},
		{"alice", alice, "/cart", 2},
		{"alice", alice, "/checkout", 2},
		{"alice", alice, "/orders", 2},
		{"alice", alice, order, 2},
		{"alice", alice, "/nowhere", 2},
		{"alice", alice, "/account", 2},
		{"alice", alice, "/account/sessions", 3}, // the sessions, and then what is on record of them
		{"alice", alice, "/session", 1},
		{"alice", alice, "/admin", 3},                 // the role, and then the page that says nothing of it
		{"the administrator", admin, "/admin", 3 + 3}, // the role first, and the sessions of each user
		{"the administrator", admin, s.adminPath("bob"), 4},
		{"alice", alice, "/login", 1}, // knows by the session alone where to send her
		{"alice", alice, asset, 0},
		{"alice", alice, "/static/none.css", 0},
		{"alice", alice, "/healthz", 0},
		{"a guest", guest, "/", 2},
		{"a guest", guest, "/products/camel-overcoat", 2},
		{"a guest", guest, "/cart", 2},
		{"a guest", guest, "/login", 2},
		{"a guest", guest, "/orders", 1},
		{"a stranger", stranger, "/", 1},
		{"a stranger", stranger, "/products/camel-overcoat", 1},
		{"a stranger", stranger, "/cart", 0},
		{"a stranger", stranger, "/login", 0},
		{"a stranger", stranger, "/signup", 0},
		{"a stranger", stranger, "/orders", 0},
		{"a stranger", stranger, "/nowhere", 0},
		{"a stranger", stranger, "/account", 0},
		{"a stranger", stranger, "/admin", 0},
		{"a stranger", stranger, "/session", 0},
		{"a stranger", stranger, asset, 0},
		{"a malformed ticket", malformed, "/", 1},
		{"a malformed ticket", malformed, "/cart", 0},
		{"an unknown ticket", unknown, "/", 2},
		{"an unknown ticket", unknown, "/cart", 1},
	} {
		trips.since()
		c.b.get(c.path)
		sent := trips.since()
		if len(sent) != c.want {
			t.Errorf("%s at %s: %d round trips, want %d:\n%s", c.who, c.path, len(sent), c.want, strings.Join(sent, "\n"))
		}
		if all := strings.ToUpper(strings.Join(sent, " ")); strings.Contains(all, "UPDATE") || strings.Contains(all, "INSERT") || strings.Contains(all, "DELETE") {
			t.Errorf("%s at %s writes:\n%s", c.who, c.path, all)
		}
	}
	s.unchanged(before, "looking around")
}

func TestAdditionIsOneStatement(t *testing.T) {
	t.Parallel()
	trips := &roundTrips{}
	s := openOn(t, pgtest.NewTraced(t, trips))
	alice := s.signedInAs("alice")
	for range 2 { // a new line, and more of it
		trips.since()
		alice.post("/cart/items", "product", "camel-overcoat", "quantity", "1").is(http.StatusSeeOther)
		if sent := trips.since(); len(sent) != 2 {
			t.Errorf("an addition takes %d round trips, want 2, the session's look-up and itself:\n%s", len(sent), strings.Join(sent, "\n"))
		}
	}
}
