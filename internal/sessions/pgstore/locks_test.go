package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The races of sessionstest leave it to chance which steps meet. Here the
// steps are held in place by real row locks: a session's death is made and
// not committed, a call comes and is seen to wait for it, and only then is the
// death made final or taken back.

// A death kills the session under f's key without committing. It gives back
// what commits it or takes it back, and the session that then lives on, if it
// was a move.
type death struct {
	name string
	hold func(t *testing.T, db *pgxpool.Pool, f filed) (end func(commit bool), heir *filed)
}

var deaths = []death{{"Deleted", deleteAndHold}, {"Moved", moveAndHold}}

func deleteAndHold(t *testing.T, db *pgxpool.Pool, f filed) (end func(commit bool), heir *filed) {
	tx := begin(t, db)
	if _, err := tx.Exec(t.Context(), `DELETE FROM sessions WHERE key = $1`, f.key[:]); err != nil {
		t.Fatal(err)
	}
	return func(commit bool) { finish(t, tx, commit) }, nil
}

// moveAndHold lets the store's own Move run into a row with its new key that
// somebody else has not committed. Move has then deleted the old row and must
// wait: if the other row goes, it succeeds, and if that stays, it fails and
// the old row lives.
func moveAndHold(t *testing.T, db *pgxpool.Pool, f filed) (end func(commit bool), heir *filed) {
	to := newSession()
	tx := begin(t, db)
	_, err := tx.Exec(t.Context(), `
		INSERT INTO sessions (key, handle, created_at, idle_until, until)
		VALUES ($1, 'in the way', $2, $2, $2)`, to.key[:], now)
	if err != nil {
		t.Fatal(err)
	}
	moved := make(chan error, 1)
	go func() { moved <- pgstore.New(db).Move(t.Context(), f.key, to.key, to.Session, happened) }()
	waitForWaiters(t, db, 1, moved)
	return func(commit bool) {
		finish(t, tx, !commit)
		if err := <-moved; (err == nil) != commit {
			t.Errorf("Move: %v", err)
		}
	}, &to
}

func begin(t *testing.T, db *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) }) // for tests that fail half-way
	return tx
}

func finish(t *testing.T, tx pgx.Tx, commit bool) {
	t.Helper()
	end := tx.Rollback
	if commit {
		end = tx.Commit
	}
	if err := end(t.Context()); err != nil {
		t.Error(err)
	}
}

// waitForWaiters returns when so many statements of this database wait for a
// lock that another one holds. None of the calls may have come back by then.
func waitForWaiters(t *testing.T, db *pgxpool.Pool, want int, calls ...chan error) {
	t.Helper()
	for waiting := 0; waiting != want; {
		err := db.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			if len(call) > 0 {
				t.Fatalf("a call came back without waiting for the row's lock: %v", <-call)
			}
		}
	}
}

// lockable opens a store with room for everybody who waits.
func lockable(t *testing.T) (*pgxpool.Pool, *pgstore.Store) {
	t.Helper()
	db := another(t, pgtest.New(t), func(c *pgxpool.Config) { c.MaxConns = 8 })
	return db, pgstore.New(db)
}

// alone empties the store and files one session.
func alone(t *testing.T, db *pgxpool.Pool, st *pgstore.Store) filed {
	t.Helper()
	if _, err := db.Exec(t.Context(), `DELETE FROM sessions`); err != nil {
		t.Fatal(err)
	}
	f := newSession()
	create(t, st, f)
	return f
}

// late is a call that comes while its session is dying.
type late struct {
	name string
	// call says whether it found its session.
	call func(ctx context.Context, st *pgstore.Store, f, to filed) (found bool, err error)
	// spared is what lives after the call if the death was taken back.
	spared func(f, to filed) []filed
}

var lateCalls = []late{
	{
		"Touch",
		func(ctx context.Context, st *pgstore.Store, f, _ filed) (bool, error) {
			return unlessGone(st.Touch(ctx, f.key, f.IdleUntil.Add(time.Hour)))
		},
		func(f, _ filed) []filed {
			f.IdleUntil = f.IdleUntil.Add(time.Hour)
			return []filed{f}
		},
	},
	{
		"Move",
		func(ctx context.Context, st *pgstore.Store, f, to filed) (bool, error) {
			return unlessGone(st.Move(ctx, f.key, to.key, to.Session, happened))
		},
		func(_, to filed) []filed { return []filed{to} },
	},
	{
		"DeleteHandle",
		func(ctx context.Context, st *pgstore.Store, f, _ filed) (bool, error) {
			return unlessGone(st.DeleteHandle(ctx, f.UserID, f.Handle, happened))
		},
		func(_, _ filed) []filed { return nil },
	},
}

func unlessGone(err error) (bool, error) {
	if errors.Is(err, sessions.ErrNotFound) {
		return false, nil
	}
	return true, err
}

func TestLateCallWaitsForADeathAndFindsNothing(t *testing.T) {
	t.Parallel()
	meetADeath(t, true)
}

func TestLateCallWaitsForADeathThatIsTakenBackAndSucceeds(t *testing.T) {
	t.Parallel()
	meetADeath(t, false)
}

func meetADeath(t *testing.T, final bool) {
	db, st := lockable(t)
	for _, death := range deaths {
		for _, late := range lateCalls {
			t.Run(death.name+"Meets"+late.name, func(t *testing.T) {
				f, to := alone(t, db, st), newSession()
				end, heir := death.hold(t, db, f)
				wantFound(t, st, f) // a Load waits for nobody: not committed is not dead

				found, called := false, make(chan error, 1)
				go func() {
					var err error
					found, err = late.call(t.Context(), st, f, to)
					called <- err
				}()
				waitForWaiters(t, db, waiters(heir), called)
				end(final)
				if err := <-called; err != nil || found == final {
					t.Errorf("%s: found %t, %v", late.name, found, err)
				}

				var alive []filed
				switch {
				case !final:
					alive = late.spared(f, to)
				case heir != nil:
					alive = []filed{*heir}
				}
				wantOnly(t, st, alive, f, to)
			})
		}
	}
}

// waiters counts who waits once a late call has come: that call, and before
// it the Move, if one is held.
func waiters(heir *filed) int {
	if heir != nil {
		return 2
	}
	return 1
}

// wantOnly expects user 1 to have these sessions, and the others to be dead.
func wantOnly(t *testing.T, st *pgstore.Store, alive []filed, others ...filed) {
	t.Helper()
	list, err := st.ByUser(t.Context(), 1)
	if err != nil || len(list) != len(alive) {
		t.Errorf("ByUser: %+v, %v; want %d sessions", list, err, len(alive))
	}
	living := map[sessions.Key]bool{}
	for _, f := range alive {
		wantFound(t, st, f)
		living[f.key] = true
	}
	for _, f := range others {
		if !living[f.key] {
			wantDead(t, st, f)
		}
	}
}

func TestDeleteThatMeetsADeathEndsTheSessionEitherWay(t *testing.T) {
	t.Parallel()
	db, st := lockable(t)
	for _, death := range deaths {
		for _, final := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/final=%t", death.name, final), func(t *testing.T) {
				f := alone(t, db, st)
				end, heir := death.hold(t, db, f)
				called := make(chan error, 1)
				go func() { called <- st.Delete(t.Context(), f.key, happened) }()
				waitForWaiters(t, db, waiters(heir), called)
				end(final)
				if err := <-called; errors.Is(err, sessions.ErrNotFound) != final || err != nil && !final {
					t.Errorf("Delete: %v", err)
				}
				wantDead(t, st, f)
			})
		}
	}
}

// Whoever ends all of a user's sessions, after a theft perhaps, must get the
// one that is just moving to a new key as well: before the move it was the
// user's, and after it it still is.
func TestDeleteByUserCatchesASessionOnTheMove(t *testing.T) {
	t.Parallel()
	db, st := lockable(t)
	for _, death := range deaths {
		for _, final := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/final=%t", death.name, final), func(t *testing.T) {
				f := alone(t, db, st)
				end, heir := death.hold(t, db, f)
				var n int
				called := make(chan error, 1)
				go func() {
					var err error
					n, err = st.DeleteByUser(t.Context(), f.UserID, sessions.Key{}, happened)
					called <- err
				}()
				waitForWaiters(t, db, waiters(heir), called)
				end(final)
				want := 1
				if final && heir == nil {
					want = 0
				}
				if err := <-called; err != nil || n != want {
					t.Errorf("DeleteByUser: %d, %v; want %d", n, err, want)
				}
				wantOnly(t, st, nil, f)
			})
		}
	}
}

// The other way round: the touch came first and has not committed. Whatever
// kills waits for it, and is not put off by the new version of the row.
func TestDeathWaitsForATouchAndIsFinal(t *testing.T) {
	t.Parallel()
	db, st := lockable(t)
	for name, kill := range map[string]func(context.Context, *pgstore.Store, filed, filed) error{
		"Delete": func(ctx context.Context, st *pgstore.Store, f, _ filed) error { return st.Delete(ctx, f.key, happened) },
		"Move": func(ctx context.Context, st *pgstore.Store, f, to filed) error {
			return st.Move(ctx, f.key, to.key, to.Session, happened)
		},
		"DeleteHandle": func(ctx context.Context, st *pgstore.Store, f, _ filed) error {
			return st.DeleteHandle(ctx, f.UserID, f.Handle, happened)
		},
		"DeleteByUser": func(ctx context.Context, st *pgstore.Store, f, _ filed) error {
			n, err := st.DeleteByUser(ctx, f.UserID, sessions.Key{}, happened)
			if n != 1 {
				return errors.Join(err, errors.New("no session was deleted"))
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := alone(t, db, st)
			touch := holdTouch(t, db, f)
			killed := make(chan error, 1)
			go func() { killed <- kill(t.Context(), st, f, newSession()) }()
			waitForWaiters(t, db, 1, killed)
			finish(t, touch, true)
			if err := <-killed; err != nil {
				t.Error(err)
			}
			wantDead(t, st, f)
		})
	}
}

// holdTouch gives the session an hour more without committing.
func holdTouch(t *testing.T, db *pgxpool.Pool, f filed) pgx.Tx {
	t.Helper()
	tx := begin(t, db)
	_, err := tx.Exec(t.Context(), `UPDATE sessions SET idle_until = $2 WHERE key = $1`,
		f.key[:], f.IdleUntil.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// A sweep holds up nobody and is held up by nobody. Were it to wait here, its
// lock_timeout would end it.
func TestSweepPassesOverARowThatATouchHolds(t *testing.T) {
	t.Parallel()
	db, st := lockable(t)
	touched, idled := alone(t, db, st), newSession()
	create(t, st, idled)
	touch := holdTouch(t, db, touched)

	impatient := pgstore.New(another(t, db, func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["lock_timeout"] = "1s"
	}))
	removed, err := impatient.Sweep(t.Context(), touched.IdleUntil)
	if err != nil || removed != 1 {
		t.Errorf("Sweep: removed %d, %v; want 1", removed, err)
	}
	finish(t, touch, true)
	touched.IdleUntil = touched.IdleUntil.Add(time.Hour)
	wantOnly(t, st, []filed{touched}, idled)
}
