package cart_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
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

// Who has been told that the shop is too busy finds nothing in the cart later.
func TestAdditionIsNotMadeForWhoHasLeft(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	carts := cart.New(db).Together(time.Minute)
	var ids []int64
	for range 30 {
		ids = append(ids, start(t, carts, "camel-overcoat", 1))
	}
	var busy []*pgxpool.Conn // all of them
	for range db.Config().MaxConns {
		c, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, c)
	}
	impatient, leave := context.WithCancel(t.Context())
	var leaving, staying sync.WaitGroup
	for i, id := range ids {
		if i%2 == 0 {
			staying.Go(func() {
				if err := carts.Add(t.Context(), id, "camel-overcoat", 1); err != nil {
					t.Errorf("Add of who stays: %v", err)
				}
			})
			continue
		}
		leaving.Go(func() {
			if err := carts.Add(impatient, id, "camel-overcoat", 1); !errors.Is(err, context.Canceled) {
				t.Errorf("Add of who has left: %v", err)
			}
		})
	}
	leave()
	leaving.Wait()
	for _, c := range busy {
		c.Release()
	}
	staying.Wait()
	for i, id := range ids {
		wantCart(t, db, id, map[string]int{"camel-overcoat": 2 - i%2})
	}
}

// A proxy whose server has gone says so by an error of its own, and nobody can
// tell whether the server committed before. To add once more could be once too
// often.
func TestAdditionOfUnknownOutcomeIsNotRepeated(t *testing.T) {
	t.Parallel()
	real := pgtest.New(t)
	if err := catalog.Seed(t.Context(), real); err != nil {
		t.Fatal(err)
	}
	var crash atomic.Bool // after the next commit of several
	config := real.Config()
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &crashing{Conn: conn, crash: &crash}, err
	}
	db, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	carts := cart.New(db).Together(time.Minute)
	var ids []int64
	for range 8 {
		ids = append(ids, start(t, carts, "camel-overcoat", 1))
	}
	rounds, crashes := 0, 0
	for crash.Store(true); crash.Load(); rounds++ {
		if rounds == 15 {
			t.Fatal("in 15 rounds nothing was committed together")
		}
		var all sync.WaitGroup
		var failed atomic.Int32
		for _, id := range ids {
			all.Go(func() {
				if carts.Add(t.Context(), id, "camel-overcoat", 1) != nil {
					failed.Add(1)
				}
			})
		}
		all.Wait()
		crashes = int(failed.Load())
	}
	if crashes < 2 {
		t.Errorf("%d were told that it is unknown whether theirs was added, want all that were committed together", crashes)
	}
	for _, id := range ids {
		wantCart(t, real, id, map[string]int{"camel-overcoat": 1 + rounds})
	}
}

// crashing is a connection to a proxy whose server has gone once it has
// committed several additions.
type crashing struct {
	net.Conn
	crash *atomic.Bool
}

func (c *crashing) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	// Each addition has been made (SELECT 1), and the server is ready for more.
	if bytes.Count(b[:n], []byte("SELECT 1\x00")) > 2 && c.crash.CompareAndSwap(true, false) {
		gone, err := (&pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "08P01", Message: "server conn crashed?"}).Encode(nil)
		c.Conn.Close()
		return copy(b, gone), err
	}
	return n, err
}
