package pgstore_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5/pgxpool"
)

const crowd = 5_000

func TestSweepTakesManyShortTransactions(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, crowd)
	watched, statements := watched(t, db)
	removed, err := pgstore.New(watched).Sweep(t.Context(), now.Add(30*time.Minute))
	if err != nil || removed != crowd || count(t, db) != 0 {
		t.Errorf("Sweep: removed %d, %v; want %d", removed, err, crowd)
	}
	if n := len(statements.sent); n < crowd/500 || n > crowd/100 {
		t.Errorf("a sweep of %d rows took %d statements", crowd, n)
	}
	for _, s := range statements.sent { // without a BEGIN each statement is a transaction
		if strings.EqualFold(strings.TrimSpace(s.SQL), "begin") {
			t.Error("a sweep's steps share a transaction")
		}
	}
}

func TestSweepRestsTwiceAsLongAsItWorks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, crowd)
	watched, statements := watched(t, db)
	if _, err := pgstore.New(watched).Sweep(t.Context(), now.Add(30*time.Minute)); err != nil {
		t.Fatal(err)
	}
	for times := statements.times; len(times) > 2; times = times[2:] {
		sent, answered, next := times[0], times[1], times[2]
		if work, rest := answered.Sub(sent), next.Sub(answered); rest < 2*work {
			t.Fatalf("after a step of %v the next one came in %v", work, rest)
		}
	}
}

func TestCancelledSweepStopsAfterItsStepAndKeepsTheCount(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, crowd)
	ctx, cancel := context.WithCancel(t.Context())
	watched, statements := watched(t, db)
	statements.then = cancel // the first step is done
	removed, err := pgstore.New(watched).Sweep(ctx, now.Add(30*time.Minute))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Sweep: %v; want that the context was cancelled", err)
	}
	if left := count(t, db); removed == 0 || removed > 500 || removed+left != crowd {
		t.Errorf("Sweep says that it removed %d of %d; %d are left", removed, crowd, left)
	}
}

func TestTwoServersSweepEachRowOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, crowd)
	var servers sync.WaitGroup
	var removed [2]int
	for i := range removed {
		st := pgstore.New(another(t, db, func(*pgxpool.Config) {}))
		servers.Go(func() {
			var err error
			if removed[i], err = st.Sweep(t.Context(), now.Add(30*time.Minute)); err != nil {
				t.Errorf("Sweep: %v", err)
			}
		})
	}
	servers.Wait()
	if removed[0]+removed[1] != crowd || count(t, db) != 0 {
		t.Errorf("two servers removed %d and %d of %d", removed[0], removed[1], crowd)
	}
}

// Rows that somebody else holds, such as another server's sweep, are left to
// them.
func TestSweepTakesWhatNobodyHolds(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, crowd)
	other := begin(t, db)
	held, err := other.Exec(t.Context(), `SELECT FROM sessions ORDER BY key LIMIT 500 FOR UPDATE`)
	if err != nil || held.RowsAffected() != 500 {
		t.Fatal(held, err)
	}
	st := pgstore.New(another(t, db, func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["lock_timeout"] = "1s"
	}))
	if removed, err := st.Sweep(t.Context(), now.Add(30*time.Minute)); err != nil || removed != crowd-500 {
		t.Errorf("Sweep: removed %d, %v; want %d", removed, err, crowd-500)
	}
	finish(t, other, false)
	if removed, err := st.Sweep(t.Context(), now.Add(30*time.Minute)); err != nil || removed != 500 {
		t.Errorf("Sweep: removed %d, %v; want the 500 that were held", removed, err)
	}
}

// What a move leaves behind is of use for a minute.
func TestSweepForgetsOldMoves(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	st := pgstore.New(db)
	f := newSession()
	create(t, st, f)
	if err := st.Move(t.Context(), f.key, newSession().key, newSession().Session, happened); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		known error
	}{{time.Minute - time.Microsecond, nil}, {time.Minute, sessions.ErrNotFound}} {
		if _, err := st.Sweep(t.Context(), happened.At.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if _, err := st.MovedAt(t.Context(), f.key); !errors.Is(err, c.known) {
			t.Errorf("%v after the move: %v, want %v", c.after, err, c.known)
		}
	}
}
