package cart_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
)

// commits counts what is committed together.
type commits struct{ together atomic.Int32 }

func (*commits) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (*commits) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *commits) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	if b.Batch.Len() > 2 { // the patience, and two additions at least
		c.together.Add(1)
	}
	return ctx
}
func (*commits) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (*commits) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// X7 for those that are committed together: each addition counts, once, and who
// cannot have what they ask for is told why, and holds up nobody.
func TestAdditionsThatAreCommittedTogetherCountEach(t *testing.T) {
	t.Parallel()
	seen := &commits{}
	db := pgtest.NewTraced(t, seen)
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	carts := cart.New(db).Together(time.Minute)
	const visitors, times = 30, 15
	var ids []int64
	for range visitors {
		ids = append(ids, start(t, carts, "camel-overcoat", 1))
	}
	held, gone := start(t, carts, "camel-overcoat", 1), int64(1<<40)
	holder, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(context.WithoutCancel(t.Context()))
	if _, err := holder.Exec(t.Context(), `SELECT FROM cart_items WHERE cart_id = $1 FOR UPDATE`, held); err != nil {
		t.Fatal(err)
	}

	var all, waiting sync.WaitGroup
	expect := func(id int64, slug string, quantity int, want error) {
		if err := carts.Add(t.Context(), id, slug, quantity); !errors.Is(err, want) {
			t.Errorf("Add(%d of %s) = %v, want %v", quantity, slug, err, want)
		}
	}
	for n := range times {
		for _, id := range ids {
			all.Go(func() { expect(id, "camel-overcoat", 1, nil) })
		}
		all.Go(func() { expect(ids[0], "no-such-coat", 1, cart.ErrNoProduct) })
		all.Go(func() { expect(ids[1], "camel-overcoat", 20, cart.ErrTooMany) })
		all.Go(func() { expect(ids[2], "check-coat", 4, cart.ErrShort) })
		switch n {
		case times / 2: // so far nothing that makes Postgres roll back what comes along with it
			all.Wait()
			waiting.Go(func() { expect(held, "camel-overcoat", 1, nil) })
			fallthrough
		case times - 1:
			all.Go(func() { expect(gone, "camel-overcoat", 1, cart.ErrNoCart) })
		}
	}
	all.Wait()
	if err := holder.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	waiting.Wait()
	for _, id := range ids {
		wantCart(t, db, id, map[string]int{"camel-overcoat": 1 + times})
	}
	wantCart(t, db, held, map[string]int{"camel-overcoat": 2})
	if seen.together.Load() == 0 {
		t.Error("nothing was committed together")
	}
}
