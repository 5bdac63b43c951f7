package xray_test

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
)

// shop is the smallest shop that has sessions and shows what it does with
// them. They lie in a real Postgres, and its clock is turned by hand.
type shop struct {
	*testing.T
	*sessions.Manager
	*xray.Recorder
	db     *pgxpool.Pool
	clock  *clock
	ears   *ears
	secure bool
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

func openShop(t *testing.T) *shop { return openShopWith(t, false) }

func openShopWith(t *testing.T, secure bool) *shop {
	t.Helper()
	ears := &ears{}
	db := pgtest.NewTraced(t, multitracer.New(xray.Tracer{}, ears))
	return openShopOn(t, db, pgstore.New(db), ears, secure)
}

func openShopOn(t *testing.T, db *pgxpool.Pool, store sessions.Store, ears *ears, secure bool) *shop {
	t.Helper()
	s := &shop{T: t, db: db, clock: &clock{now: time.Date(2026, 5, 4, 9, 0, 0, 123456000, time.UTC)}, ears: ears, secure: secure}
	var err error
	s.Manager, err = sessions.NewManager(sessions.Config{
		Store: store, Policy: sessions.DefaultPolicy, Most: 2, Secure: secure, Now: s.clock.Now,
		Failed: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusServiceUnavailable) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Recorder = &xray.Recorder{Policy: s.Manager.PolicyOf, Now: s.clock.Now, Secure: secure, InTable: true}
	return s
}

// ears hear what is sent to Postgres, as the X-ray does, and by themselves.
type ears struct {
	mu    sync.Mutex
	trips [][]xray.Statement
}

func (e *ears) sent(texts ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var trip []xray.Statement
	for _, text := range texts {
		trip = append(trip, xray.Statement{Text: text, Rows: -1})
	}
	e.trips = append(e.trips, trip)
}

// found notes the rows of the first statement of the last trip that has none so
// far. When several requests are under way it may find none.
func (e *ears) found(rows int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.trips) == 0 {
		return
	}
	last := e.trips[len(e.trips)-1]
	if i := slices.IndexFunc(last, func(s xray.Statement) bool { return s.Rows == -1 }); i >= 0 {
		last[i].Rows = rows
	}
}

// since gives what was heard since the last call.
func (e *ears) since() [][]xray.Statement {
	e.mu.Lock()
	defer e.mu.Unlock()
	trips := e.trips
	e.trips = nil
	return trips
}

func (e *ears) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	e.sent(q.SQL)
	return ctx
}

func (e *ears) TraceQueryEnd(_ context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	e.found(q.CommandTag.RowsAffected())
}

func (e *ears) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	var texts []string
	for _, q := range b.Batch.QueuedQueries {
		texts = append(texts, q.SQL)
	}
	e.sent(texts...)
	return ctx
}

func (e *ears) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	e.found(q.CommandTag.RowsAffected())
}

func (*ears) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// act is what a handler does.
type act func(s *shop, w http.ResponseWriter, r *http.Request) error

func look(*shop, http.ResponseWriter, *http.Request) error { return nil }

func begin(refs sessions.Refs) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.Begin(w, r, refs) }
}

func signIn(refs sessions.Refs) act {
	return func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.SignIn(w, r, refs, false) }
}

func renew(s *shop, w http.ResponseWriter, r *http.Request) error { return s.Renew(w, r) }

// signOut sends the visitor on, as shops do.
func signOut(s *shop, w http.ResponseWriter, r *http.Request) error {
	err := s.SignOut(w, r)
	if err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
	return err
}

// ask asks the shop's own tables.
func ask(sql ...string) act {
	return func(s *shop, _ http.ResponseWriter, r *http.Request) error {
		for _, text := range sql {
			if _, err := s.db.Exec(r.Context(), text); err != nil {
				return err
			}
		}
		return nil
	}
}

// An answer is what came back.
type answer struct {
	*xray.Exchange
	status    int
	setCookie []string
	previous  *xray.Panel // what the page shows of the request before
	heard     [][]xray.Statement
	err       error // of the act
}

// serve answers a request, asks for its X-ray, and listens to what it does.
func (s *shop) serve(r *http.Request, do act) answer {
	s.Helper()
	s.ears.since()
	a := answer{}
	w := s.send(r, func(s *shop, w http.ResponseWriter, r *http.Request) error {
		a.previous = xray.From(r.Context()).Previous()
		a.err = do(s, w, r)
		return a.err
	})
	a.status, a.setCookie, a.heard = w.Code, w.Header()["Set-Cookie"], s.ears.since()
	var err error
	if a.Exchange, err = xray.Decode(w.Header()); err != nil || a.Exchange == nil {
		s.Fatalf("%s %s came without an X-ray: %v", r.Method, r.URL, err)
	}
	return a
}

// send answers a request, and asks for its X-ray. Several may be sent at once.
func (s *shop) send(r *http.Request, do act) *httptest.ResponseRecorder {
	r.Header.Set(xray.Header, "please")
	return s.sendPlain(r, do)
}

// sendPlain answers a request as it is.
func (s *shop) sendPlain(r *http.Request, do act) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Recorder.Middleware(s.Manager.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if do(s, w, r) != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write(nil) // which is the answer, if there was none
	}))).ServeHTTP(w, r)
	return w
}

// request is one that carries these cookies.
func (s *shop) request(method, path string, cookies ...string) *http.Request {
	r := httptest.NewRequestWithContext(s.Context(), method, path, nil)
	r.Header.Set("Cookie", strings.Join(cookies, "; "))
	return r
}

// visitor has a browser, which keeps the session's cookie, and the X-ray's.
type visitor struct {
	*shop
	id, left string
}

func (s *shop) visitor() *visitor { return &visitor{shop: s} }

// arrives makes a visitor who has a session.
func (s *shop) arrives(refs sessions.Refs) *visitor {
	s.Helper()
	v := s.visitor()
	v.must(begin(refs))
	return v
}

func (v *visitor) request(path string) *http.Request {
	prefix := ""
	if v.secure {
		prefix = "__Host-"
	}
	var cookies []string
	if v.id != "" {
		cookies = append(cookies, prefix+"session="+v.id)
	}
	if v.left != "" {
		cookies = append(cookies, prefix+"xray="+v.left)
	}
	return v.shop.request(http.MethodGet, path, cookies...)
}

// does sends a request, and minds the cookies that come back.
func (v *visitor) does(do act) answer {
	v.Helper()
	return v.at("/", do)
}

func (v *visitor) at(path string, do act) answer {
	v.Helper()
	a := v.serve(v.request(path), do)
	for _, line := range a.setCookie {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			v.Fatal(err)
		}
		switch strings.TrimPrefix(c.Name, "__Host-") {
		case "session":
			v.id = c.Value
		case "xray":
			v.left = c.Value
		}
	}
	return a
}

// must is does for an act that has to succeed.
func (v *visitor) must(do act) answer {
	v.Helper()
	a := v.does(do)
	if a.err != nil || a.status >= 400 {
		v.Fatalf("status %d: %v", a.status, a.err)
	}
	return a
}

// row is the visitor's session as it lies in the table, or nil.
func (v *visitor) row() *xray.Coat {
	v.Helper()
	key := sha256.Sum256([]byte(v.id))
	c := &xray.Coat{Idle: sessions.DefaultPolicy.Idle + sessions.DefaultPolicy.Slack()}
	err := v.db.QueryRow(v.Context(), `
		SELECT handle, coalesce(user_id, 0), coalesce(cart_id, 0), created_at, idle_until, until
		FROM sessions WHERE key = $1`, key[:]).
		Scan(&c.Handle, &c.UserID, &c.CartID, &c.CreatedAt, &c.IdleUntil, &c.Until)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		v.Fatal(err)
	}
	c.CreatedAt, c.IdleUntil, c.Until = c.CreatedAt.UTC(), c.IdleUntil.UTC(), c.Until.UTC()
	return c
}

func (s *shop) exec(sql string) {
	s.Helper()
	if _, err := s.db.Exec(s.Context(), sql); err != nil {
		s.Fatal(err)
	}
}

// calls are what the session asked its store for; "shop" is what the shop
// asked for itself.
func (a answer) calls() (calls []string) {
	for _, v := range a.Room {
		call := v.Call
		if call == "" {
			call = "shop"
		}
		if v.Outcome != "" {
			call += ", " + v.Outcome
		}
		calls = append(calls, call)
	}
	return calls
}
