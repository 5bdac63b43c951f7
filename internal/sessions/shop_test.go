package sessions_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// shop is the smallest shop that has sessions. They lie in a real Postgres,
// and its clock is turned by hand.
type shop struct {
	*testing.T
	*sessions.Manager
	db    *pgxpool.Pool
	clock *clock
	name  string          // of the cookie
	trace *sessions.Trace // hears every request, if set
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) turnTo(t time.Time) { c.turn(t.Sub(c.Now())) }

// opening is when every shop opens. It has more digits than a store keeps.
var opening = time.Date(2026, 5, 4, 9, 0, 0, 123456789, time.FixedZone("CET", 60*60))

func openShop(t *testing.T) *shop { return openShopWith(t, sessions.DefaultPolicy, false) }

func openShopWith(t *testing.T, policy sessions.Policy, secure bool) *shop {
	t.Helper()
	return openShopOn(t, pgtest.New(t), policy, secure)
}

func openShopOn(t *testing.T, db *pgxpool.Pool, policy sessions.Policy, secure bool) *shop {
	t.Helper()
	s := &shop{T: t, db: db, clock: &clock{now: opening}, name: "session"}
	if secure {
		s.name = "__Host-session"
	}
	var err error
	s.Manager, err = sessions.NewManager(sessions.Config{
		Store:  pgstore.New(db),
		Policy: policy,
		Secure: secure,
		Now:    s.clock.Now,
		Failed: func(w http.ResponseWriter, r *http.Request, err error) {
			answerTo(r).failed = err
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answer is what became of a request.
type answer struct {
	code      int
	setCookie []string         // the lines, as they are
	ticket    sessions.Ticket  // as the handler saw it
	session   sessions.Session // likewise
	live      bool             // likewise
	handled   bool             // the handler ran
	err       error            // what the act in the handler gave
	failed    error            // what Failed was told
	told      []string         // what the trace told, in order
}

type answerContextKey struct{}

func answerTo(r *http.Request) *answer { return r.Context().Value(answerContextKey{}).(*answer) }

// act is what a handler does about the session.
type act func(s *shop, w http.ResponseWriter, r *http.Request) error

func look(*shop, http.ResponseWriter, *http.Request) error { return nil }

func begin(refs sessions.Refs) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.Begin(w, r, refs) }
}

func change(refs sessions.Refs) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.Change(w, r, refs) }
}

func signIn(refs sessions.Refs) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.SignIn(w, r, refs, false) }
}

func signOut(s *shop, w http.ResponseWriter, r *http.Request) error { return s.SignOut(w, r) }

// after is an act that something else gets in ahead of: the middleware has
// done its work, and the handler is about to.
func after(what func(), then act) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error {
		what()
		return then(s, w, r)
	}
}

// serve answers a request with an act between the middleware and the answer.
func (s *shop) serve(r *http.Request, do act) answer {
	s.Helper()
	a := &answer{}
	ctx := context.WithValue(r.Context(), answerContextKey{}, a)
	ctx = sessions.WithTrace(ctx, listener(&a.told))
	if s.trace != nil {
		ctx = sessions.WithTrace(ctx, s.trace)
	}
	w := httptest.NewRecorder()
	s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.handled = true
		a.ticket = sessions.TicketFrom(r.Context())
		a.session, a.live = sessions.From(r.Context())
		a.err = do(s, w, r)
	})).ServeHTTP(w, r.WithContext(ctx))
	a.code, a.setCookie = w.Code, w.Header()["Set-Cookie"]
	return *a
}

// listener writes down one line for each thing that it is told.
func listener(lines *[]string) *sessions.Trace {
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		*lines = append(*lines, fmt.Sprintf(format, args...))
	}
	return &sessions.Trace{
		Ticket: func(_ context.Context, t sessions.Ticket, _ sessions.Session) { say("ticket %s", t) },
		Store: func(_ context.Context, call string, _ time.Duration, err error) {
			switch {
			case err == nil:
				say("store %s", call)
			case errors.Is(err, sessions.ErrNotFound):
				say("store %s finds nothing", call)
			default:
				say("store %s fails", call)
			}
		},
		Began: func(_ context.Context, s sessions.Session) { say("began %v", s.Refs) },
		Moved: func(_ context.Context, from, to sessions.Session) { say("moved %v to %v", from.Refs, to.Refs) },
		Ended: func(_ context.Context, e sessions.Event, n int) { say("ended %d of user %d: %s", n, e.UserID, e.Kind) },
		Cookie: func(_ context.Context, c *http.Cookie) {
			if c.Value == "" {
				say("cookie cleared")
			} else {
				say("cookie sent")
			}
		},
	}
}

func (a answer) calls(call string) (n int) {
	for _, line := range a.told {
		if strings.HasPrefix(line, "store "+call) {
			n++
		}
	}
	return n
}

// request is one that carries these Cookie header lines.
func (s *shop) request(cookies ...string) *http.Request {
	r := httptest.NewRequestWithContext(s.Context(), http.MethodGet, "/", nil)
	r.Header["Cookie"] = cookies
	return r
}

// visitor has a browser, which keeps the one cookie that matters here.
type visitor struct {
	*shop
	id string
}

func (s *shop) visitor() *visitor { return &visitor{shop: s} }

// copy is a second browser with the same cookie.
func (v *visitor) copy() *visitor { return &visitor{v.shop, v.id} }

func (v *visitor) request() *http.Request {
	if v.id == "" {
		return v.shop.request()
	}
	return v.shop.request(v.name + "=" + v.id)
}

// does sends a request, and minds the cookie that comes back.
func (v *visitor) does(do act) answer {
	v.Helper()
	a := v.serve(v.request(), do)
	for _, line := range a.setCookie {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			v.Fatalf("Set-Cookie: %s: %v", line, err)
		}
		if c.Name == v.name {
			v.id = c.Value
		}
	}
	return a
}

// must is does for an act that has to succeed.
func (v *visitor) must(do act) answer {
	v.Helper()
	a := v.does(do)
	if a.err != nil || a.failed != nil {
		v.Fatalf("%v %v", a.err, a.failed)
	}
	return a
}

// arrives makes a visitor who has a session.
func (s *shop) arrives(refs sessions.Refs) *visitor {
	s.Helper()
	v := s.visitor()
	v.must(begin(refs))
	return v
}

func (v *visitor) wantTicket(want sessions.Ticket) answer {
	v.Helper()
	a := v.must(look)
	v.want(a, want)
	return a
}

// want expects a ticket, a handler that ran, and a session if and only if the
// ticket is live.
func (s *shop) want(a answer, want sessions.Ticket) {
	s.Helper()
	if a.ticket != want || !a.handled || a.live != (want == sessions.TicketLive) || a.code != http.StatusOK {
		s.Errorf("ticket %s, live %t, handled %t, status %d; want ticket %s", a.ticket, a.live, a.handled, a.code, want)
	}
	if !a.live && a.session != (sessions.Session{}) {
		s.Errorf("a visitor without a live session sees one: %+v", a.session)
	}
}

func (s *shop) wantNoCookie(a answer) {
	s.Helper()
	if len(a.setCookie) != 0 {
		s.Errorf("Set-Cookie: %q; want none", a.setCookie)
	}
}

func (s *shop) wantCleared(a answer) {
	s.Helper()
	if len(a.setCookie) != 1 || !strings.HasPrefix(a.setCookie[0], s.name+"=; ") || !strings.Contains(a.setCookie[0], "Max-Age=0") {
		s.Errorf("Set-Cookie: %q; want one line that clears the cookie", a.setCookie)
	}
}

// rows are the handles of all sessions that lie in the store.
func (s *shop) rows() []string {
	s.Helper()
	rows, err := s.db.Query(s.Context(), `SELECT handle FROM sessions ORDER BY handle`)
	if err != nil {
		s.Fatal(err)
	}
	handles, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.Fatal(err)
	}
	return handles
}

func (s *shop) wantRows(want int) {
	s.Helper()
	if rows := s.rows(); len(rows) != want {
		s.Errorf("%d sessions lie in the store, want %d", len(rows), want)
	}
}

func (s *shop) exec(sql string) {
	s.Helper()
	if _, err := s.db.Exec(s.Context(), sql); err != nil {
		s.Fatal(err)
	}
}

// endAll is somebody else ending every session.
func (s *shop) endAll() { s.exec(`DELETE FROM sessions`) }
