package pgstore

import (
	"context"
	"fmt"
	"time"

	"coatcheck/internal/sessions"
)

// movedFor is how long a key that was moved away from is known at least.
const movedFor = time.Minute

// Sweep walks the whole table along its primary key, a hundred rows a step,
// each step a transaction of its own. There is no index on the deadlines to
// go by, on purpose: keeping one up to date would cost every touch far more
// than the walk costs once in a while.
//
// After each step it rests for twice as long as the step took. A sweep is in no
// hurry, and the visitors whose pages want the same cores and disk are: so
// they find it at work a third of the time, and wait for a short step at most.
//
// Two sweeps at once skip the rows that the other one holds, as they skip a
// row that a touch is just giving a new deadline.
func (st *Store) Sweep(ctx context.Context, now time.Time) (int, error) {
	const step = 100
	removed := 0
	for after := []byte{}; after != nil; {
		began := time.Now()
		var n int
		err := st.db.QueryRow(ctx, `
			WITH step AS (
				SELECT key FROM sessions WHERE key > $1 ORDER BY key LIMIT $2
			), dead AS (
				SELECT key FROM sessions
				WHERE key IN (SELECT key FROM step) AND least(idle_until, until) <= $3
				FOR UPDATE SKIP LOCKED
			), gone AS (
				DELETE FROM sessions WHERE key IN (SELECT key FROM dead) RETURNING handle, user_id, idle_until, until
			), recorded AS (
				INSERT INTO session_events (at, kind, session, user_id)
				SELECT least(idle_until, until), CASE WHEN until <= idle_until THEN $5 ELSE $4 END, handle, user_id FROM gone
			)
			SELECT (SELECT key FROM step ORDER BY key DESC LIMIT 1), (SELECT count(*) FROM gone)`,
			after, step, now, sessions.IdledOut, sessions.LivedOut).Scan(&after, &n)
		if err != nil {
			return removed, fmt.Errorf("sweep sessions: %w", err)
		}
		removed += n
		select {
		case <-time.After(2 * time.Since(began)):
		case <-ctx.Done():
			return removed, fmt.Errorf("sweep sessions: %w", ctx.Err())
		}
	}
	if _, err := st.db.Exec(ctx, `DELETE FROM moved_sessions WHERE at <= $1`, now.Add(-movedFor)); err != nil {
		return removed, fmt.Errorf("sweep moved sessions: %w", err)
	}
	return removed, nil
}
