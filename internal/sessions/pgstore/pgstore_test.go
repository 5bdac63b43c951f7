package pgstore_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/sessions/sessionstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return pgstore.New(pgtest.New(t)) })
}

// A row refers to a user and a cart and describes neither.
func TestRowHoldsReferencesAndDeadlinesOnly(t *testing.T) {
	t.Parallel()
	rows, err := pgtest.New(t).Query(t.Context(), `
		SELECT column_name::text FROM information_schema.columns
		WHERE table_name = 'sessions' ORDER BY ordinal_position`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"key", "handle", "user_id", "cart_id", "created_at", "idle_until", "until"}
	if !slices.Equal(columns, want) {
		t.Errorf("the table sessions has the columns %v, want %v", columns, want)
	}
}

var now = time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)

// happened is an event to hand to calls where it does not matter which.
var happened = sessions.Event{At: now, Kind: sessions.Revoked}

// filed is a session and its key.
type filed struct {
	key sessions.Key
	sessions.Session
}

// newSession makes up a session of user 1.
func newSession() filed {
	f := filed{Session: sessions.Session{
		Handle:    rand.Text()[:12],
		Refs:      sessions.Refs{UserID: 1},
		CreatedAt: now,
		IdleUntil: now.Add(30 * time.Minute),
		Until:     now.Add(12 * time.Hour),
	}}
	rand.Read(f.key[:])
	return f
}

func create(t *testing.T, st *pgstore.Store, f filed) {
	t.Helper()
	if err := st.Create(t.Context(), f.key, f.Session, happened); err != nil {
		t.Fatal(err)
	}
}

func wantFound(t *testing.T, st *pgstore.Store, f filed) {
	t.Helper()
	if s, err := st.Load(t.Context(), f.key); err != nil || s != f.Session {
		t.Errorf("Load: %+v, %v\nwant  %+v", s, err, f.Session)
	}
}

func wantDead(t *testing.T, st *pgstore.Store, f filed) {
	t.Helper()
	if s, err := st.Load(t.Context(), f.key); !errors.Is(err, sessions.ErrNotFound) {
		t.Errorf("Load: %+v, %v; want ErrNotFound", s, err)
	}
}

// fill puts n rows into the table, each with the same deadlines and one of a
// thousand users, and tells the planner of them.
func fill(t *testing.T, db *pgxpool.Pool, n int) {
	t.Helper()
	_, err := db.Exec(t.Context(), `
		INSERT INTO sessions (key, handle, user_id, cart_id, created_at, idle_until, until)
		SELECT sha256(i::text::bytea), 'H' || i, i % 1000, i, $2, $3, $4 FROM generate_series(1, $1) i`,
		n, now, now.Add(30*time.Minute), now.Add(12*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `ANALYZE sessions`); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *pgxpool.Pool) (rows int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// another opens a second pool on the same database, as a second server would.
func another(t *testing.T, db *pgxpool.Pool, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config := db.Config()
	change(config)
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// statements writes down what is sent to the database.
type statements struct {
	mu    sync.Mutex
	sent  []pgx.TraceQueryStartData
	times []time.Time // when each was sent, and when it was answered
	then  func()      // if set, called after each answer
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, data)
	s.times = append(s.times, time.Now())
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {
	s.mu.Lock()
	s.times = append(s.times, time.Now())
	s.mu.Unlock()
	if s.then != nil {
		s.then()
	}
}

// watched opens a second pool whose statements are written down.
func watched(t *testing.T, db *pgxpool.Pool) (*pgxpool.Pool, *statements) {
	t.Helper()
	s := &statements{}
	return another(t, db, func(c *pgxpool.Config) { c.ConnConfig.Tracer = s }), s
}

func TestHistoryIsLinearizable(t *testing.T) {
	t.Parallel()
	sessionstest.HistoryInSteps(t, pgstore.New(pgtest.New(t)))
}
