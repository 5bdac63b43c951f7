package cart_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/money"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var now = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// open gives carts beside a full rail, and Alice, who is user 1.
func open(t *testing.T) (*pgxpool.Pool, *cart.Carts) {
	t.Helper()
	db := pgtest.New(t)
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO users (email, name, password_hash, created_at) VALUES ('alice@example.com', 'Alice', '', now())`)
	return db, cart.New(db).Together(time.Minute)
}

const alice = 1

func exec(t *testing.T, db *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// start makes a guest's cart with pieces of one product.
func start(t *testing.T, carts *cart.Carts, slug string, quantity int) (id int64) {
	t.Helper()
	id, err := carts.Start(t.Context(), slug, quantity, now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func merge(t *testing.T, carts *cart.Carts, guest int64) (id int64, capped bool) {
	t.Helper()
	id, capped, err := carts.Merge(t.Context(), guest, alice, now)
	if err != nil {
		t.Fatal(err)
	}
	return id, capped
}

// wantCart expects the pieces, and that the count agrees.
func wantCart(t *testing.T, db *pgxpool.Pool, id int64, want map[string]int) {
	t.Helper()
	var lines []cart.Line
	items := map[int64][]cart.Item{}
	b := &pgx.Batch{}
	cart.QueueLines(b, id, &lines)
	cart.QueueItems(b, []int64{id}, items)
	if err := db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	got, sum := map[string]int{}, 0
	for _, l := range lines {
		got[l.Slug] = l.Quantity
		sum += l.Quantity
	}
	if !maps.Equal(got, want) || cart.Pieces(items[id]) != sum || len(items[id]) != len(lines) {
		t.Errorf("cart %d holds %v, of which %v, want %v", id, got, items, want)
	}
}

func TestAddComesOnTopAndSetReplaces(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	id := start(t, carts, "camel-overcoat", 2)
	for _, err := range []error{
		carts.Add(t.Context(), id, "camel-overcoat", 3),
		carts.Add(t.Context(), id, "navy-peacoat", 20),
		carts.Set(t.Context(), id, "felt-fedora", 4),
		carts.Set(t.Context(), id, "navy-peacoat", 6),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	wantCart(t, db, id, map[string]int{"camel-overcoat": 5, "navy-peacoat": 6, "felt-fedora": 4})
	if err := carts.Set(t.Context(), id, "navy-peacoat", 0); err != nil {
		t.Error(err)
	}
	if err := carts.Set(t.Context(), id, "navy-peacoat", 0); err != nil {
		t.Errorf("taking out what is not in: %v", err)
	}
	wantCart(t, db, id, map[string]int{"camel-overcoat": 5, "felt-fedora": 4})
}

func TestRefusedAdditionChangesNothing(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	id := start(t, carts, "camel-overcoat", 18)
	if err := carts.Add(t.Context(), id, "check-coat", 2); err != nil { // of 3
		t.Fatal(err)
	}
	for _, c := range []struct {
		slug     string
		quantity int
		add, set error
	}{
		{"camel-overcoat", 3, cart.ErrTooMany, nil},
		{"camel-overcoat", 21, cart.ErrTooMany, cart.ErrTooMany},
		{"navy-peacoat", 21, cart.ErrTooMany, cart.ErrTooMany},
		{"check-coat", 2, cart.ErrShort, nil},
		{"check-coat", 4, cart.ErrShort, cart.ErrShort},
		{"shearling-jacket", 1, cart.ErrShort, cart.ErrShort}, // sold out
		{"no-such-coat", 1, cart.ErrNoProduct, cart.ErrNoProduct},
		{"", 1, cart.ErrNoProduct, cart.ErrNoProduct},
	} {
		if err := carts.Add(t.Context(), id, c.slug, c.quantity); !errors.Is(err, c.add) {
			t.Errorf("Add(%q, %d): %v, want %v", c.slug, c.quantity, err, c.add)
		}
		if c.set == nil {
			continue
		}
		if err := carts.Set(t.Context(), id, c.slug, c.quantity); !errors.Is(err, c.set) {
			t.Errorf("Set(%q, %d): %v, want %v", c.slug, c.quantity, err, c.set)
		}
	}
	wantCart(t, db, id, map[string]int{"camel-overcoat": 18, "check-coat": 2})

	for _, slug := range []string{"shearling-jacket", "no-such-coat"} {
		if _, err := carts.Start(t.Context(), slug, 1, now); err == nil {
			t.Errorf("Start with %s: no error", slug)
		}
	}
	var n int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM carts`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d carts, %v; a refused Start has left one", n, err)
	}
}

// Less than nothing is stopped by the table itself, if ever a caller lets it through.
func TestTheTableRefusesOddQuantities(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	id := start(t, carts, "camel-overcoat", 1)
	for _, quantity := range []int{-1, -1_000_000_000} {
		if err := carts.Add(t.Context(), id, "navy-peacoat", quantity); err == nil {
			t.Errorf("Add of %d: no error", quantity)
		}
		if err := carts.Set(t.Context(), id, "camel-overcoat", quantity); err == nil {
			t.Errorf("Set to %d: no error", quantity)
		}
	}
	wantCart(t, db, id, map[string]int{"camel-overcoat": 1})
}

func TestGoneCartIsToldAndNotMadeAnew(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	guest := start(t, carts, "camel-overcoat", 1)
	user, _ := merge(t, carts, guest)
	if err := carts.Retire(t.Context(), guest, user); err != nil {
		t.Fatal(err)
	}
	if err := carts.Add(t.Context(), guest, "navy-peacoat", 1); !errors.Is(err, cart.ErrNoCart) {
		t.Errorf("Add to a retired cart: %v, want ErrNoCart", err)
	}
	if err := carts.Set(t.Context(), guest, "camel-overcoat", 2); !errors.Is(err, cart.ErrNoCart) {
		t.Errorf("Set in a retired cart: %v, want ErrNoCart", err)
	}
	if err := carts.Add(t.Context(), 0, "navy-peacoat", 1); !errors.Is(err, cart.ErrNoCart) {
		t.Errorf("Add to no cart: %v, want ErrNoCart", err)
	}
	wantCart(t, db, guest, map[string]int{})
}

// X7
func TestAdditionsAtOnceAllCountUpToTheLimit(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	id := start(t, carts, "check-coat", 1)
	var mu sync.Mutex
	results := map[error]int{}
	var additions sync.WaitGroup
	for range 30 {
		for _, slug := range []string{"camel-overcoat", "check-coat"} {
			additions.Go(func() {
				err := carts.Add(t.Context(), id, slug, 1)
				mu.Lock()
				defer mu.Unlock()
				results[err]++
			})
		}
	}
	additions.Wait()
	want := map[error]int{nil: 20 + 2, cart.ErrTooMany: 10, cart.ErrShort: 28}
	if !maps.Equal(results, want) {
		t.Errorf("the additions gave %v, want %v", results, want)
	}
	wantCart(t, db, id, map[string]int{"camel-overcoat": 20, "check-coat": 3})
}

func TestMergeAddsUpWithinLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stock, guest, user int // user 0: not in the user's cart
		want               int
		capped             bool
	}{
		"they add up":               {48, 2, 3, 5, false},
		"new to the user":           {48, 2, 0, 2, false},
		"just 20":                   {48, 10, 10, 20, false},
		"more than 20":              {48, 15, 15, 20, true},
		"just the stock":            {5, 2, 3, 5, false},
		"more than the stock":       {5, 3, 3, 5, true},
		"stock fell below the user": {2, 1, 5, 2, true},
		"new, and too many by now":  {2, 5, 0, 2, true},
		"sold out by now":           {0, 2, 0, 0, true},
		"sold out, in both":         {0, 2, 3, 3, true}, // the user's are theirs to take out
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, carts := open(t)
			user, _ := merge(t, carts, 0)
			if c.user != 0 {
				if err := carts.Add(t.Context(), user, "camel-overcoat", c.user); err != nil {
					t.Fatal(err)
				}
			}
			guest := start(t, carts, "camel-overcoat", c.guest)
			exec(t, db, `UPDATE products SET stock = $1 WHERE slug = 'camel-overcoat'`, c.stock)

			id, capped := merge(t, carts, guest)
			if id != user || capped != c.capped {
				t.Errorf("Merge = %d, %v; want %d, %v", id, capped, user, c.capped)
			}
			want := map[string]int{}
			if c.want != 0 {
				want["camel-overcoat"] = c.want
			}
			wantCart(t, db, user, want)
			wantCart(t, db, guest, map[string]int{})

			if _, capped := merge(t, carts, guest); capped { // twice is harmless
				t.Error("a second Merge had something to leave behind")
			}
			wantCart(t, db, user, want)
		})
	}
}

// Between a Merge and the Retire the guest may go on. Nothing of it is lost.
func TestRetireMovesWhatWasAddedMeanwhile(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	guest := start(t, carts, "camel-overcoat", 2)
	user, _ := merge(t, carts, guest)
	for _, slug := range []string{"camel-overcoat", "navy-peacoat"} {
		if err := carts.Add(t.Context(), guest, slug, 1); err != nil {
			t.Error(err)
		}
	}
	for range 2 { // twice is harmless
		if err := carts.Retire(t.Context(), guest, user); err != nil {
			t.Error(err)
		}
		wantCart(t, db, user, map[string]int{"camel-overcoat": 3, "navy-peacoat": 1})
	}
	if err := carts.Retire(t.Context(), 0, user); err != nil { // nobody's
		t.Error(err)
	}
}

// What is added while a merge has read the cart and not yet emptied it waits,
// be it a new line or more of an old one. It is not thrown away.
func TestAdditionInTheMiddleOfAMergeIsNotLost(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	user, _ := merge(t, carts, start(t, carts, "camel-overcoat", 1))
	guest := start(t, carts, "camel-overcoat", 1)

	holder, err := db.Begin(t.Context()) // of the line that the merge must change
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(t.Context())
	if _, err := holder.Exec(t.Context(), `SELECT FROM cart_items WHERE cart_id = $1 FOR UPDATE`, user); err != nil {
		t.Fatal(err)
	}
	var calls sync.WaitGroup
	var done atomic.Int32
	calls.Go(func() {
		if _, _, err := carts.Merge(t.Context(), guest, alice, now); err != nil {
			t.Error(err)
		}
	})
	wait(t, db, func(waiting int) bool { return waiting == 1 })
	for _, slug := range []string{"camel-overcoat", "navy-peacoat"} {
		calls.Go(func() {
			defer done.Add(1)
			if err := carts.Add(t.Context(), guest, slug, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wait(t, db, func(waiting int) bool { return waiting+int(done.Load()) == 3 })
	if err := holder.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	calls.Wait()
	wantCart(t, db, user, map[string]int{"camel-overcoat": 2})
	wantCart(t, db, guest, map[string]int{"camel-overcoat": 1, "navy-peacoat": 1})
}

// Two who find no line, and each make one, have made one line of both.
func TestAdditionsThatMakeTheSameLineBothCount(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	id := start(t, carts, "camel-overcoat", 1)
	other, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback(t.Context())
	if _, err := other.Exec(t.Context(), `INSERT INTO cart_items SELECT $1, id, 2 FROM products WHERE slug = 'navy-peacoat'`, id); err != nil {
		t.Fatal(err)
	}
	var added sync.WaitGroup
	added.Go(func() {
		if err := carts.Add(t.Context(), id, "navy-peacoat", 3); err != nil {
			t.Error(err)
		}
	})
	wait(t, db, func(waiting int) bool { return waiting == 1 })
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	added.Wait()
	wantCart(t, db, id, map[string]int{"camel-overcoat": 1, "navy-peacoat": 5})
}

// wait returns when enough statements wait for a lock.
func wait(t *testing.T, db *pgxpool.Pool, enough func(waiting int) bool) {
	t.Helper()
	for range 20_000 {
		var waiting int
		err := db.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if enough(waiting) {
			return
		}
	}
	t.Fatal("nobody waits for a lock")
}

func TestMergesAtOnceCountOnce(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	guest := start(t, carts, "camel-overcoat", 3)
	var merges sync.WaitGroup
	ids := make([]int64, 10)
	for i := range ids {
		merges.Go(func() {
			var err error
			if ids[i], _, err = carts.Merge(t.Context(), guest, alice, now); err != nil {
				t.Errorf("Merge: %v", err)
			}
		})
	}
	merges.Wait()
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("the user's cart is %v", ids)
	}
	wantCart(t, db, ids[0], map[string]int{"camel-overcoat": 3})
}

func TestTakeEmptiesTheCart(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	id := start(t, carts, "navy-peacoat", 2)
	if err := carts.Add(t.Context(), id, "camel-overcoat", 1); err != nil {
		t.Fatal(err)
	}
	var lines []cart.Line
	err := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) (err error) {
		lines, err = cart.Take(t.Context(), tx, id)
		return err
	})
	if err != nil || len(lines) != 2 || lines[0].Slug != "camel-overcoat" || lines[1].Total() != 578_00 || cart.Total(lines) != 1_007_00 {
		t.Errorf("Take: %+v, %v", lines, err)
	}
	wantCart(t, db, id, map[string]int{})
}

func TestSweepThrowsAwayOldCartsOfGuests(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	exec(t, db, `INSERT INTO carts (created_at) SELECT $1::timestamptz - interval '1 day' FROM generate_series(1, 2500)`, now)
	young := start(t, carts, "camel-overcoat", 1)
	exec(t, db, `INSERT INTO carts (user_id, created_at) VALUES ($1, $2)`, alice, now.AddDate(-1, 0, 0))
	removed, err := carts.SweepGuests(t.Context(), now)
	if removed != 2500 || err != nil {
		t.Errorf("SweepGuests removed %d, %v; want 2500", removed, err)
	}
	var left int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM carts`).Scan(&left); err != nil || left != 2 {
		t.Errorf("%d carts are left, %v; want the young guest's and the user's", left, err)
	}
	wantCart(t, db, young, map[string]int{"camel-overcoat": 1})
}

func TestLineKnowsWhatTheShopHas(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		quantity, stock int
		short           bool
		most            int
	}{
		{1, 0, true, 0}, {2, 1, true, 1}, {2, 2, false, 2}, {2, 20, false, 20}, {2, 21, false, 20},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			l := cart.Line{Slug: "x", Quantity: c.quantity, Stock: c.stock, Price: 250}
			if l.Short() != c.short || l.Most() != c.most || l.Total() != money.Cents(250).Times(c.quantity) || l.Picture() != "products/x.svg" {
				t.Errorf("%+v: short %v, most %d, total %v", l, l.Short(), l.Most(), l.Total())
			}
		})
	}
}

func TestErrorsOfTheDatabaseAreNoRefusals(t *testing.T) {
	t.Parallel()
	db, carts := open(t)
	db.Close()
	ctx := t.Context()
	_, begun := carts.Start(ctx, "camel-overcoat", 1, now)
	_, _, merged := carts.Merge(ctx, 1, alice, now)
	_, swept := carts.SweepGuests(ctx, now)
	for name, err := range map[string]error{
		"Start": begun, "Merge": merged, "SweepGuests": swept, "Retire": carts.Retire(ctx, 1, 2),
		"Add": carts.Add(ctx, 1, "camel-overcoat", 1), "Set": carts.Set(ctx, 1, "camel-overcoat", 1), "Set to 0": carts.Set(ctx, 1, "camel-overcoat", 0),
	} {
		if err == nil || errors.Is(err, cart.ErrNoCart) || errors.Is(err, cart.ErrNoProduct) || errors.Is(err, cart.ErrShort) {
			t.Errorf("%s without a database: %v", name, err)
		}
	}
}
