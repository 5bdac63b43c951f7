package cart

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"coatcheck/internal/batch"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// addition is one call of Add.
type addition struct {
	ctx      context.Context // of the request
	cartID   int64
	slug     string
	quantity int
}

// Together gives the same carts, but additions to several of them that come at
// the same time are committed together, and so wait for the disk once. Each
// still counts only when it is on disk. A commit that takes longer than limit
// fails.
func (c *Carts) Together(limit time.Duration) *Carts {
	together := &Carts{db: c.db}
	together.additions = batch.New(limit, together.addAll)
	return together
}

// patience is how long additions that are committed together wait for a lock.
// Somebody who is checking out may hold one cart for a while, and that is to
// hold up nobody else. It is far below Postgres's own patience with deadlocks,
// so if there is one, it is never the other side that has to give way.
const patience = "20ms"

// addAll makes those additions that all go well at the first attempt, and says
// which; each of the others is for its own request to make, alone.
func (c *Carts) addAll(ctx context.Context, all []*addition) (map[*addition]bool, error) {
	if len(all) == 1 {
		return nil, nil
	}
	conn, err := c.db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	// Who has waited for so long as to have been told that it cannot be is not to
	// find it in the cart later.
	all = slices.DeleteFunc(all, func(a *addition) bool { return a.ctx.Err() != nil })
	// All go through the carts in the same order, so as not to block each other.
	slices.SortFunc(all, func(a, b *addition) int { return cmp.Compare(a.cartID, b.cartID) })
	added := make(map[*addition]bool, len(all))
	b := &pgx.Batch{} // without BEGIN, a batch is one transaction
	b.Queue(`SELECT set_config('lock_timeout', $1, true)`, patience)
	for _, a := range all {
		b.Queue(addSQL, a.cartID, a.slug, a.quantity, MaxQuantity).Exec(func(tag pgconn.CommandTag) error {
			added[a] = tag.RowsAffected() == 1
			return nil
		})
	}
	err = conn.SendBatch(ctx, b).Close()
	// An error of a statement means that nothing of it is done. One that ends the
	// connection, as a proxy's, does not say whether it is.
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.SeverityUnlocalized == "ERROR" {
		return nil, nil
	}
	return added, err
}
