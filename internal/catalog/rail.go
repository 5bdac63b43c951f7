package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"coatcheck/internal/batch"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Rail is all products as they were at one moment. It never changes: when a
// product does, there is another Rail.
type Rail struct {
	Products []Product // in the order in which they hang
	bySlug   map[string]*Product
	byID     map[int64]*Product
}

// Product finds a product by its slug; nil if there is none.
func (r *Rail) Product(slug string) *Product { return r.bySlug[slug] }

// ByID finds a product by its ID; nil if there is none.
func (r *Rail) ByID(id int64) *Product { return r.byID[id] }

func newRail(products []Product) *Rail {
	r := &Rail{products, make(map[string]*Product, len(products)), make(map[int64]*Product, len(products))}
	for i := range products {
		p := &products[i]
		r.bySlug[p.Slug], r.byID[p.ID] = p, p
	}
	return r
}

// Freshness is how old what a Catalogue gives may be.
const Freshness = time.Second

// Catalogue gives the Rail. While it listens for changes, nobody who wants the
// Rail need ask for it; see [Catalogue.Listen].
//
// What it gives is to be shown. Whether a buyer can have a piece is decided
// where the stock is, by the statement that takes it.
type Catalogue struct {
	db    *pgxpool.Pool
	now   func() time.Time
	known atomic.Pointer[knownRail]
	reads *batch.Loader[struct{}, *Rail]
}

// knownRail is a Rail, and until when it may be given.
type knownRail struct {
	*Rail
	until time.Time
}

// New gives the catalogue of a migrated database, which asks for the products
// each time. A query that takes longer than limit fails. A nil now is time.Now.
func New(db *pgxpool.Pool, limit time.Duration, now func() time.Time) *Catalogue {
	if now == nil {
		now = time.Now
	}
	c := &Catalogue{db: db, now: now}
	c.reads = batch.New(limit, func(ctx context.Context, _ []struct{}) (map[struct{}]*Rail, error) {
		rail, err := read(ctx, db)
		return map[struct{}]*Rail{{}: rail}, err
	})
	return c
}

// Known reports whether Rail can answer without asking.
func (c *Catalogue) Known() bool { return c.fresh() != nil }

func (c *Catalogue) fresh() *Rail {
	if k := c.known.Load(); k != nil && c.now().Before(k.until) {
		return k.Rail
	}
	return nil
}

// Rail gives the products as they are, or were less than [Freshness] ago.
func (c *Catalogue) Rail(ctx context.Context) (*Rail, error) {
	if rail := c.fresh(); rail != nil {
		return rail, nil
	}
	return c.Read(ctx)
}

// Read gives the products as they are now.
func (c *Catalogue) Read(ctx context.Context) (*Rail, error) {
	rail, _, err := c.reads.Load(ctx, struct{}{})
	return rail, err
}

func read(ctx context.Context, db querier) (*Rail, error) {
	rows, err := db.Query(ctx, `
		SELECT id, slug, name, category, description, price_cents, stock
		FROM products ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	products, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	return newRail(products), nil
}

// querier is a pool or a connection.
type querier interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}

const (
	// listenFor is how long it waits for news before it reads the products all
	// the same. That nothing is heard can also mean that nobody speaks: a proxy
	// may have handed the connection on, somebody may have switched the trigger
	// off.
	listenFor = 400 * time.Millisecond
	// rest is how long, at least, after the products have been read they are
	// not read again. In a rush every sale changes the stock.
	rest = 20 * time.Millisecond
	// slow is how long it waits for an answer before it takes the connection for
	// broken. What is known is given for no longer because of that.
	slow = 3 * time.Second
)

// Listen hears of every change of a product, by Postgres's LISTEN and NOTIFY,
// and reads them anew, until ctx ends. It takes a connection for itself, one
// more than the pool may have. When that breaks, failed hears why, and Listen
// gets itself another one; meanwhile the Catalogue asks each time.
func (c *Catalogue) Listen(ctx context.Context, failed func(error)) {
	for {
		err := c.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		failed(fmt.Errorf("listen for changes of products: %w", err))
		select {
		case <-time.After(Freshness):
		case <-ctx.Done():
			return
		}
	}
}

func (c *Catalogue) listen(ctx context.Context) error {
	pooled, err := c.db.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer conn.Close(context.WithoutCancel(ctx))
	begin, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	if _, err := conn.Exec(begin, `LISTEN products`); err != nil {
		return err
	}
	for {
		took, err := c.refresh(ctx, conn)
		if err != nil {
			return err
		}
		select {
		case <-time.After(max(rest, 4*took)): // to read 10,000 products takes a while
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := hear(ctx, conn); err != nil {
			return err
		}
	}
}

// refresh reads the products. If they are as they were, so is the Rail.
func (c *Catalogue) refresh(ctx context.Context, conn *pgx.Conn) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, slow)
	defer cancel()
	asked := c.now()
	rail, err := read(ctx, conn)
	if err != nil {
		return 0, err
	}
	if k := c.known.Load(); k != nil && slices.Equal(k.Products, rail.Products) {
		rail = k.Rail
	}
	c.known.Store(&knownRail{rail, asked.Add(Freshness)})
	return c.now().Sub(asked), nil
}

// hear waits for news, but not for long.
func hear(ctx context.Context, conn *pgx.Conn) error {
	wait, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()
	if _, err := conn.WaitForNotification(wait); err != nil {
		if errors.Is(wait.Err(), context.DeadlineExceeded) {
			return nil
		}
		return err
	}
	for cancel(); ; { // from now on it gives what has come, and waits no more
		if _, err := conn.WaitForNotification(wait); err != nil {
			return nil
		}
	}
}
