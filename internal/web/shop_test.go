package web_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/orders"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/visitors"
	"coatcheck/internal/web"
	"coatcheck/static"
	"coatcheck/templates"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// A shop is open for one test: the real one, on a database of its own, with a
// clock that the test sets. Only its password hashes are cheaper.
type shop struct {
	*web.Shop
	t      testing.TB
	db     *pgxpool.Pool
	clock  *clock
	log    *logbook
	server *httptest.Server
}

// open opens a shop on a new database; each of change may alter how it is set up.
func open(t testing.TB, change ...func(*web.Config)) *shop {
	t.Helper()
	return openOn(t, pgtest.New(t), change...)
}

func openOn(t testing.TB, db *pgxpool.Pool, change ...func(*web.Config)) *shop {
	t.Helper()
	s := &shop{t: t, db: db, clock: &clock{now: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}, log: &logbook{}}
	users, err := auth.New(auth.Config{DB: db, Cost: bcrypt.MinCost, Now: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := users.SeedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	config := web.Config{
		DB: db, Users: users, Carts: cart.New(db), Orders: orders.New(db),
		Policy:    sessions.DefaultPolicy,
		Templates: templates.Files, Static: static.Files,
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Now: s.clock.Now,
	}
	for _, c := range change {
		c(&config)
	}
	switch st := pgstore.New(db); { // as cmd/shop has it
	case config.Store != nil:
	case config.Demo:
		config.Store = st
	default:
		config.Carts = config.Carts.Together(time.Minute)
		config.Store = visitors.Around(pgstore.Join(st, time.Minute), db, time.Minute)
	}
	if s.Shop, err = web.New(config); err != nil {
		t.Fatal(err)
	}
	if config.Secure {
		s.server = httptest.NewTLSServer(s)
	} else {
		s.server = httptest.NewServer(s)
	}
	t.Cleanup(s.server.Close)
	return s
}

// listening lets the shop hear of changes of products, as one that is served
// does: it does not ask for them at each page. What is sent to hear of them is
// not counted.
func (s *shop) listening() (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.WithValue(s.t.Context(), notCounted{}, true))
	var listening sync.WaitGroup
	listening.Go(func() { s.Listen(ctx) })
	stop = func() { cancel(); listening.Wait() }
	s.t.Cleanup(stop)
	for begun := time.Now(); !s.Hears(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			s.t.Fatal("the shop does not hear of products")
		}
	}
	return stop
}

// secure makes a shop that speaks HTTPS.
func secure(c *web.Config) { c.Secure = true }

// A clock stands still until it is advanced.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A logbook keeps what the shop has logged.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count says how many lines have the message.
func (l *logbook) count(message string) (n int) {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "msg="+message+" ") || strings.Contains(line, `msg="`+message+`" `) {
			n++
		}
	}
	return n
}

// number asks the database for one number.
func (s *shop) number(sql string, args ...any) (n int) {
	s.t.Helper()
	if err := s.db.QueryRow(s.t.Context(), sql, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *shop) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatal(err)
	}
}

// user is the ID of a demo account.
func (s *shop) user(name string) int {
	s.t.Helper()
	return s.number(`SELECT id FROM users WHERE email = $1`, name+"@example.com")
}

// handles are those of a user's sessions in the database, the newest first.
func (s *shop) handles(name string) []string {
	s.t.Helper()
	return s.texts(`SELECT handle FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, handle`, s.user(name))
}

// texts asks the database for a list.
func (s *shop) texts(sql string, args ...any) []string {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(), sql, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// until asks again and again, and gives up when nothing has come of it for long.
func (s *shop) until(what string, happened func() bool) {
	s.t.Helper()
	for range 20_000 {
		if happened() {
			return
		}
	}
	s.t.Fatalf("it never came to be that %s", what)
}

// A picture is every row of every table, with the transaction that wrote it:
// an UPDATE that changes nothing shows on it, too.
type picture map[string]string

func (s *shop) picture() picture {
	s.t.Helper()
	p := picture{}
	for _, table := range s.texts(`
		SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`) {
		var content string
		err := s.db.QueryRow(s.t.Context(), fmt.Sprintf(`
			SELECT coalesce(string_agg(xmin || ' ' || r, E'\n' ORDER BY ctid), '') FROM %s r`, table)).Scan(&content)
		if err != nil {
			s.t.Fatal(err)
		}
		p[table] = content
	}
	return p
}

// unchanged fails the test if the database is not as it was, besides some
// tables.
func (s *shop) unchanged(before picture, after string, besides ...string) {
	s.t.Helper()
	for table, rows := range s.picture() {
		if rows != before[table] && !slices.Contains(besides, table) {
			s.t.Errorf("%s changed %s:\n%s\nbefore:\n%s", after, table, rows, before[table])
		}
	}
}
