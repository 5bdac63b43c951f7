package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
)

// roundTrips counts how often the shop asks Postgres something: a batch is
// one round trip, whatever is in it.
type roundTrips struct {
	mu   sync.Mutex
	sent []string
}

// notCounted marks the context of what is no part of a request.
type notCounted struct{}

func (r *roundTrips) note(ctx context.Context, sql string) {
	if ctx.Value(notCounted{}) != nil {
		return
	}
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
	r.note(ctx, q.SQL)
	return ctx
}

func (r *roundTrips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	var all []string
	for _, q := range b.Batch.QueuedQueries {
		all = append(all, q.SQL)
	}
	r.note(ctx, "batch: "+strings.Join(all, "; "))
	return ctx
}

func (*roundTrips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (*roundTrips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*roundTrips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// A demonstration shows its X-rays at no cost to the database.
func TestPagesTakeTwoRoundTripsAndWriteNothing(t *testing.T) {
	t.Parallel()
	for mode, inDemo := range map[string]bool{"as it is": false, "in a demo": true} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			trips := &roundTrips{}
			s := openOn(t, pgtest.NewTraced(t, multitracer.New(xray.Tracer{}, trips)), func(c *web.Config) { c.Demo = inDemo })
			s.listening()
			s.takesTwoRoundTrips(trips, inDemo)
		})
	}
}

func (s *shop) takesTwoRoundTrips(trips *roundTrips, own bool) {
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
		who       string
		b         *browser
		path      string
		want, own int // where requests share their look-ups, and where each has its own
	}{
		{"alice", alice, "/", 1, 2},
		{"alice", alice, "/products/camel-overcoat", 1, 2},
		{"alice", alice, "/cart", 1, 2},
		{"alice", alice, "/checkout", 2, 2},
		{"alice", alice, "/orders", 2, 2},
		{"alice", alice, order, 2, 2},
		{"alice", alice, "/nowhere", 1, 2},
		{"alice", alice, "/account", 1, 2},
		{"alice", alice, "/account/sessions", 3, 3}, // the sessions, and then what is on record of them
		{"alice", alice, "/session", 1, 1},
		{"alice", alice, "/admin", 1, 3},                     // the role, and then the page that says nothing of it
		{"the administrator", admin, "/admin", 2 + 3, 3 + 3}, // the role first, and the sessions of each user
		{"the administrator", admin, s.adminPath("bob"), 3, 4},
		{"alice", alice, "/login", 1, 1}, // knows by the session alone where to send her
		{"alice", alice, asset, 0, 0},
		{"alice", alice, "/static/none.css", 0, 0},
		{"alice", alice, "/healthz", 0, 0},
		{"a guest", guest, "/", 1, 2},
		{"a guest", guest, "/products/camel-overcoat", 1, 2},
		{"a guest", guest, "/cart", 1, 2},
		{"a guest", guest, "/login", 1, 2},
		{"a guest", guest, "/orders", 1, 1},
		{"a stranger", stranger, "/", 0, 0},
		{"a stranger", stranger, "/products/camel-overcoat", 0, 0},
		{"a stranger", stranger, "/cart", 0, 0},
		{"a stranger", stranger, "/login", 0, 0},
		{"a stranger", stranger, "/signup", 0, 0},
		{"a stranger", stranger, "/orders", 0, 0},
		{"a stranger", stranger, "/nowhere", 0, 0},
		{"a stranger", stranger, "/account", 0, 0},
		{"a stranger", stranger, "/admin", 0, 0},
		{"a stranger", stranger, "/session", 0, 0},
		{"a stranger", stranger, asset, 0, 0},
		{"a malformed ticket", malformed, "/", 0, 0},
		{"a malformed ticket", malformed, "/cart", 0, 0},
		{"an unknown ticket", unknown, "/", 1, 1},
		{"an unknown ticket", unknown, "/cart", 1, 1},
	} {
		trips.since()
		c.b.get(c.path)
		sent := trips.since()
		want := c.want
		if own {
			want = c.own
		}
		if len(sent) != want {
			s.t.Errorf("%s at %s: %d round trips, want %d:\n%s", c.who, c.path, len(sent), want, strings.Join(sent, "\n"))
		}
		if all := strings.ToUpper(strings.Join(sent, " ")); strings.Contains(all, "UPDATE") || strings.Contains(all, "INSERT") || strings.Contains(all, "DELETE") {
			s.t.Errorf("%s at %s writes:\n%s", c.who, c.path, all)
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

// The page after a sign-out looks up what is on record of the session, in the
// one batch that it has, or would have.
func TestPageAfterTheSignOutTakesOneRoundTrip(t *testing.T) {
	t.Parallel()
	trips := &roundTrips{}
	s := openOn(t, pgtest.NewTraced(t, multitracer.New(xray.Tracer{}, trips)), demo)
	s.listening()
	for path, usual := range map[string]int{"/": 0, "/cart": 0} {
		alice := s.signedInAs("alice")
		alice.post("/logout").leadsTo("/")
		before := s.picture()
		trips.since()
		for i, want := range []int{1, usual} {
			alice.get(path).is(http.StatusOK)
			sent := trips.since()
			if looks := strings.Contains(strings.Join(sent, ""), "session_events"); len(sent) != want || looks != (i == 0) {
				t.Errorf("page %d at %s takes %d round trips, want %d:\n%s", i, path, len(sent), want, strings.Join(sent, "\n"))
			}
		}
		s.unchanged(before, "the page after the sign-out")
	}
}

// Whatever a visitor does, a demonstration sends Postgres the same statements as a
// shop whose requests do not share theirs; but for the page after a sign-out, which
// looks up one thing more.
func TestXRayAddsNoStatement(t *testing.T) {
	t.Parallel()
	sent := map[bool][]string{}
	for _, on := range []bool{false, true} {
		trips := &roundTrips{}
		s := openOn(t, pgtest.NewTraced(t, multitracer.New(xray.Tracer{}, trips)), func(c *web.Config) { c.Demo, c.Store = on, pgstore.New(c.DB) })
		s.listening()
		trips.since()
		s.browser().asks(func(r *http.Response) {
			sent[on] = append(sent[on], r.Request.Method+" "+r.Request.URL.Path+"\n"+strings.Join(trips.since(), "\n"))
		}).life()
	}
	added := 0
	for i, usual := range sent[false] {
		if sent[true][i] == usual {
			continue
		}
		if added++; !strings.HasPrefix(sent[true][i-1], "POST /logout") || !strings.Contains(sent[true][i], "session_events") {
			t.Errorf("instead of\n%s\na demonstration sends\n%s", usual, sent[true][i])
		}
	}
	if added != 1 || len(sent[false]) < 40 {
		t.Errorf("of %d answers %d are different, want the one page after a sign-out", len(sent[false]), added)
	}
}
