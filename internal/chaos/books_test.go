package chaos_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// The books are what the database says, before the crowd comes and after it
// has left.
type books struct {
	t     *testing.T
	url   string
	goods []string         // slugs
	stock map[string]int64 // pieces by slug, at the start
}

// plenty is a stock that no crowd exhausts.
const plenty = 1_000_000

// openBooks prepares a database: plenty of everything, and an account for each
// member of the crowd. Their passwords are hashed in an instant, because the
// work of that is not what is tried here.
func openBooks(t *testing.T, url string, members int) *books {
	t.Helper()
	b := &books{t: t, url: url}
	db := b.connect()
	defer db.Close()
	if _, err := postgres.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `UPDATE products SET stock = $1 + id`, plenty); err != nil {
		t.Fatal(err)
	}
	b.stock = b.pieces(db, `SELECT slug, stock FROM products`)
	b.goods = slices.Sorted(maps.Keys(b.stock))
	users, err := auth.New(auth.Config{DB: db, Cost: bcrypt.MinCost})
	if err != nil {
		t.Fatal(err)
	}
	for i := range members {
		if _, err := users.Add(t.Context(), name(i), address(i), password); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *books) connect() *pgxpool.Pool {
	b.t.Helper()
	db, err := postgres.Open(context.Background(), b.url, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return db
}

// durable fails the test unless Postgres writes what it commits to its disk
// before it says so.
func (b *books) durable() {
	b.t.Helper()
	db := b.connect()
	defer db.Close()
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := db.QueryRow(b.t.Context(), `SELECT current_setting($1)`, setting).Scan(&value); err != nil || value != "on" {
			b.t.Fatalf("%s is %q, %v", setting, value, err)
		}
	}
}

// pieces runs a query for rows of a slug and a number.
func (b *books) pieces(db *pgxpool.Pool, sql string, args ...any) map[string]int64 {
	b.t.Helper()
	rows, err := db.Query(b.t.Context(), sql, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	pieces, slug, n := map[string]int64{}, "", int64(0)
	if _, err := pgx.ForEachRow(rows, []any{&slug, &n}, func() error { pieces[slug] = n; return nil }); err != nil {
		b.t.Fatal(err)
	}
	return pieces
}

// An entry is an order as the database has it.
type entry struct {
	Number int64
	Email  string
	Key    string
	Cents  int64
	Lines  map[string]int
	Sum    int64 // of its lines, in cents
}

func (b *books) entries(db *pgxpool.Pool) map[int64]entry {
	b.t.Helper()
	rows, err := db.Query(b.t.Context(), `
		SELECT o.number, u.email, o.order_key, o.total_cents,
		       coalesce(jsonb_object_agg(p.slug, i.quantity) FILTER (WHERE p.id IS NOT NULL), '{}'), coalesce(sum(i.quantity * i.price_cents), 0)
		FROM orders o JOIN users u ON u.id = o.user_id
		LEFT JOIN order_items i ON i.order_number = o.number LEFT JOIN products p ON p.id = i.product_id
		GROUP BY o.number, u.email`)
	if err != nil {
		b.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	if err != nil {
		b.t.Fatal(err)
	}
	entries := map[int64]entry{}
	for _, e := range list {
		entries[e.Number] = e
	}
	return entries
}

// audit compares the books with what a crowd knows that has left, and gives
// the number of orders in the database.
func (b *books) audit(c *crowd) int {
	b.t.Helper()
	db := b.connect()
	defer db.Close()
	entries := b.entries(db)
	known := map[int64]bool{}
	for _, o := range c.orders {
		e, found := entries[o.number]
		switch {
		case known[o.number]:
			c.fault("two orders of %s are the one with the number %d", o.email, o.number)
		case !found:
			c.fault("order %d of %s was acknowledged and is lost", o.number, o.email)
		case e.Email != o.email || e.Key != o.key || !maps.Equal(e.Lines, o.lines):
			c.fault("order %d is %+v; acknowledged was %+v", o.number, e, o)
		}
		known[o.number] = true
	}
	forms := map[[2]string]int64{}
	for _, e := range entries {
		if !known[e.Number] {
			c.fault("order %d of %s was never acknowledged, though its form was sent until it was", e.Number, e.Email)
		}
		if other, twice := forms[[2]string{e.Email, e.Key}]; twice {
			c.fault("one form of %s is the orders %d and %d", e.Email, e.Number, other)
		}
		forms[[2]string{e.Email, e.Key}] = e.Number
		if e.Sum != e.Cents || e.Sum == 0 {
			c.fault("order %d comes to %d cents, and its lines to %d", e.Number, e.Cents, e.Sum)
		}
	}
	b.stocktake(c, db)
	return len(entries)
}

// stocktake: of each product, what was sold and what is left make what there
// was.
func (b *books) stocktake(c *crowd, db *pgxpool.Pool) {
	b.t.Helper()
	sold := b.pieces(db, `SELECT slug, sum(quantity)::bigint FROM order_items JOIN products ON id = product_id GROUP BY slug`)
	for slug, left := range b.pieces(db, `SELECT slug, stock FROM products`) {
		if left+sold[slug] != b.stock[slug] {
			c.fault("of %s there were %d; %d are sold and %d left", slug, b.stock[slug], sold[slug], left)
		}
	}
}

// report writes the figures of a run, with what it has to add to them, and
// fails the test for requests that failed later than grace after something was
// broken.
func (c *crowd) report(inDatabase int, grace time.Duration, more string) {
	c.t.Helper()
	worst, stray, busy := c.late(grace)
	for _, f := range stray {
		c.fault("%s, in %v, though nothing was down", f.what, f.to.Sub(f.from))
	}
	c.t.Logf("figures: %d kills, %d shoppers, %d requests, %d orders acknowledged, %d in the database; "+
		"%d answers of 503 (%d because the machine was too busy), %d requests without an answer, the last of them sent %v after what was broken was whole; %s; %d signed out",
		len(c.outages), len(c.shoppers), c.asked.Load(), len(c.orders), inDatabase,
		c.down.Load(), busy, c.silent.Load(), ms(worst), more, c.signOuts)
}

func ms(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
