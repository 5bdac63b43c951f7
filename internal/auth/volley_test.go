package auth_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"coatcheck/internal/auth"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The first look at the count lets everybody pass who comes before the first
// failure is counted. Here eight servers' guesses do, and wait together at
// the count, which must not let more of them through than one after the other.
func TestGuessesThatPassTheFirstLookTogetherAreCounted(t *testing.T) {
	t.Parallel()
	const servers, failures = 8, 5
	config, err := pgxpool.ParseConfig(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = servers + 2
	db, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()

	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE sign_in_failures IN SHARE MODE`); err != nil { // reading goes on
		t.Fatal(err)
	}
	var wrong, throttled atomic.Int32
	var guesses sync.WaitGroup
	for range servers {
		server := open(t, auth.Config{DB: db, Failures: failures})
		guesses.Go(func() {
			_, err := server.SignIn(t.Context(), "alice@example.com", "a wrong guess", here)
			if errors.Is(err, auth.ErrWrong) {
				wrong.Add(1)
			} else if _, ok := errors.AsType[*auth.ThrottledError](err); ok {
				throttled.Add(1)
			}
		})
	}
	for waiting := 0; waiting != servers; {
		err := db.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	guesses.Wait()
	if wrong.Load() != failures || throttled.Load() != servers-failures {
		t.Errorf("of %d guesses at once %d were answered and %d throttled, want %d and %d",
			servers, wrong.Load(), throttled.Load(), failures, servers-failures)
	}
}
