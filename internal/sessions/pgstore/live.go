package pgstore

import (
	"context"
	"fmt"
	"time"
)

// Live counts the sessions that have not expired at now. It reads the whole
// table: a figure for the operator, not for a page.
func (st *Store) Live(ctx context.Context, now time.Time) (n int, err error) {
	err = st.db.QueryRow(ctx, `SELECT count(*) FROM sessions WHERE least(idle_until, until) > $1`, now).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count live sessions: %w", err)
	}
	return n, nil
}
