package pgstore

import (
	"context"
	"fmt"
	"time"

	"coatcheck/internal/sessions"

	"github.com/jackc/pgx/v5/pgtype"
)

// movedFor is how long a key that was moved away from is known at least.
const movedFor = time.Minute

// Sweep walks the whole table from its first page to its last, a few pages a
// step, each step a transaction of its own. There is no index on the deadlines
// to go by, on purpose: keeping one up to date would cost every touch far more
// than the walk costs once in a while. The walk goes by ctid, which is where in
// the table's file a row lies (page and number), since neighbours there share a
// page, and neighbours by key do not. Should an update move a row meanwhile, to
// a page that is done with, the next sweep finds it.
//
// After each step it rests for twice as long as the step took. A sweep is in no
// hurry, and the visitors whose pages want the same cores and disk are: so
// they find it at work a third of the time, and wait for a short step at most.
//
// Two sweeps at once skip the rows that the other one holds, as they skip a
// row that a touch is just giving a new deadline.
func (st *Store) Sweep(ctx context.Context, now time.Time) (int, error) {
	const step = 2 // pages: some 100 sessions
	removed := 0
	for page, more := uint32(0), true; more; page += step {
		began := time.Now()
		var n int
		err := st.db.QueryRow(ctx, `
			WITH dead AS (
				SELECT ctid FROM sessions
				WHERE ctid >= $1 AND ctid < $2 AND least(idle_until, until) <= $3
				FOR UPDATE SKIP LOCKED
			), gone AS (
				DELETE FROM sessions WHERE ctid = ANY (ARRAY(SELECT ctid FROM dead)) RETURNING handle, user_id, idle_until, until
			), recorded AS (
				INSERT INTO session_events (at, kind, session, user_id)
				SELECT least(idle_until, until), CASE WHEN until <= idle_until THEN $5 ELSE $4 END, handle, user_id FROM gone
			)
			SELECT (SELECT count(*) FROM gone), pg_relation_size('sessions') > $6::bigint * current_setting('block_size')::bigint`,
			startOf(page), startOf(page+step), now, sessions.IdledOut, sessions.LivedOut, page+step).Scan(&n, &more)
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

// startOf is before every row of a page.
func startOf(page uint32) pgtype.TID { return pgtype.TID{BlockNumber: page, Valid: true} }
