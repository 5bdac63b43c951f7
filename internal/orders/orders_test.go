package orders_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/cart"
	"coatcheck/internal/catalog"
	"coatcheck/internal/orders"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

var now = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// open gives an order book beside a full rail.
func open(t *testing.T) (*pgxpool.Pool, *orders.Orders) {
	t.Helper()
	db := pgtest.New(t)
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db, orders.New(db)
}

// buyer makes a user whose cart holds these pieces, and the checkout of them.
func buyer(t *testing.T, db *pgxpool.Pool, name string, pieces map[string]int) orders.Checkout {
	t.Helper()
	c := orders.Checkout{Key: "some-order-key-0001", Name: name, Address: "1 Rail Road", At: now}
	err := db.QueryRow(t.Context(), `
		INSERT INTO users (email, name, password_hash, created_at) VALUES (lower($1) || '@example.com', $1, '', $2)
		RETURNING id`, name, now).Scan(&c.UserID)
	if err != nil {
		t.Fatal(err)
	}
	carts := cart.New(db)
	if c.CartID, _, err = carts.Merge(t.Context(), 0, c.UserID, now); err != nil {
		t.Fatal(err)
	}
	for slug, n := range pieces {
		if err := carts.Add(t.Context(), c.CartID, slug, n); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func number(t *testing.T, db *pgxpool.Pool, sql string) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func exec(t *testing.T, db *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, db *pgxpool.Pool, userID, number int64) (o orders.Order, list []orders.Order) {
	t.Helper()
	b := &pgx.Batch{}
	orders.QueueOrder(b, userID, number, &o)
	orders.QueueByUser(b, userID, &list)
	if err := db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	return o, list
}

// left says what is left of a checkout that may or may not have happened.
func left(t *testing.T, db *pgxpool.Pool) string {
	return fmt.Sprintf("%d orders, %d items, %d pieces in carts, %d in stock",
		number(t, db, `SELECT count(*) FROM orders`), number(t, db, `SELECT count(*) FROM order_items`),
		number(t, db, `SELECT coalesce(sum(quantity), 0) FROM cart_items`), number(t, db, `SELECT sum(stock) FROM products`))
}

func TestPlaceTurnsACartIntoAnOrder(t *testing.T) {
	t.Parallel()
	db, book := open(t)
	stock := number(t, db, `SELECT sum(stock) FROM products`)
	alice := buyer(t, db, "Alice", map[string]int{"navy-peacoat": 2, "camel-overcoat": 1})
	placed, err := book.Place(t.Context(), alice)
	if err != nil || placed < 1001 {
		t.Fatalf("Place = %d, %v", placed, err)
	}
	o, list := find(t, db, alice.UserID, placed)
	if o.Total != 1_007_00 || o.Pieces != 3 || len(o.Items) != 2 || o.Items[0].Slug != "camel-overcoat" || o.Items[1].Total() != 578_00 ||
		o.Name != "Alice" || o.Address != "1 Rail Road" || !o.CreatedAt.Equal(now) || o.CreatedAt.Location() != time.UTC {
		t.Errorf("the order is %+v", o)
	}
	if len(list) != 1 || list[0].Number != placed || list[0].Pieces != 3 || list[0].Items != nil {
		t.Errorf("Alice's orders are %+v", list)
	}
	exec(t, db, `UPDATE products SET name = 'Moth-eaten', price_cents = 1`)
	if later, _ := find(t, db, alice.UserID, placed); !reflect.DeepEqual(later, o) {
		t.Errorf("with the products the order has changed to %+v", later)
	}
	if got, want := left(t, db), fmt.Sprintf("1 orders, 2 items, 0 pieces in carts, %d in stock", stock-3); got != want {
		t.Errorf("there are %s; want %s", got, want)
	}
}

// ASVS 2.3: all or nothing.
func TestPlaceTakesAllOrNothing(t *testing.T) {
	t.Parallel()
	db, book := open(t)
	alice := buyer(t, db, "Alice", map[string]int{"camel-overcoat": 1, "check-coat": 3, "navy-peacoat": 1})
	for name, c := range map[string]struct {
		spoil, restore string
		want           error // nil: any
	}{
		"one piece is short":      {`UPDATE products SET stock = 2 WHERE slug = 'check-coat'`, `UPDATE products SET stock = 3 WHERE slug = 'check-coat'`, orders.ErrShort},
		"the order is not taken":  {`ALTER TABLE orders ADD CONSTRAINT full_book CHECK (total_cents < 0)`, `ALTER TABLE orders DROP CONSTRAINT full_book`, nil},
		"its items are not taken": {`ALTER TABLE order_items ADD CONSTRAINT full_book CHECK (quantity < 3)`, `ALTER TABLE order_items DROP CONSTRAINT full_book`, nil},
	} {
		exec(t, db, c.spoil)
		before := left(t, db)
		_, err := book.Place(t.Context(), alice)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: Place: %v", name, err)
		}
		if after := left(t, db); after != before {
			t.Errorf("%s: there were %s and are %s", name, before, after)
		}
		exec(t, db, c.restore)
	}
	if _, err := book.Place(t.Context(), alice); err != nil {
		t.Errorf("in the end, Place: %v", err)
	}
}

func TestSameKeyIsTheSameOrder(t *testing.T) {
	t.Parallel()
	db, book := open(t)
	alice := buyer(t, db, "Alice", map[string]int{"camel-overcoat": 1})
	numbers := make([]int64, 20)
	var requests sync.WaitGroup
	for i := range numbers {
		requests.Go(func() {
			var err error
			if numbers[i], err = book.Place(t.Context(), alice); err != nil {
				t.Errorf("Place: %v", err)
			}
		})
	}
	requests.Wait()
	for _, n := range numbers {
		if n == 0 || n != numbers[0] {
			t.Fatalf("20 times the same order have the numbers %v", numbers)
		}
	}
	if err := cart.New(db).Add(t.Context(), alice.CartID, "navy-peacoat", 2); err != nil {
		t.Fatal(err)
	}
	before := left(t, db)
	if again, err := book.Place(t.Context(), alice); again != numbers[0] || err != nil {
		t.Errorf("a late repeat: Place = %d, %v", again, err)
	}
	if after := left(t, db); after != before {
		t.Errorf("a late repeat: there were %s and are %s", before, after)
	}
}

func TestEmptyCartIsNoOrder(t *testing.T) {
	t.Parallel()
	db, book := open(t)
	alice := buyer(t, db, "Alice", nil)
	if _, err := book.Place(t.Context(), alice); !errors.Is(err, orders.ErrEmpty) {
		t.Errorf("Place: %v, want ErrEmpty", err)
	}
	alice.CartID = 12345 // nobody's
	if _, err := book.Place(t.Context(), alice); !errors.Is(err, orders.ErrEmpty) {
		t.Errorf("Place without a cart: %v, want ErrEmpty", err)
	}
}

// ASVS 8.2
func TestForeignOrderIsNotFound(t *testing.T) {
	t.Parallel()
	db, book := open(t)
	alice, bob := buyer(t, db, "Alice", map[string]int{"camel-overcoat": 1}), buyer(t, db, "Bob", map[string]int{"camel-overcoat": 1})
	a, err := book.Place(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Place(t.Context(), bob) // with the same key
	if err != nil || a == b {
		t.Fatalf("Alice's order is %d, Bob's %d, %v", a, b, err)
	}
	if o, list := find(t, db, bob.UserID, a); o.Number != 0 || o.Items != nil || len(list) != 1 || list[0].Number != b {
		t.Errorf("Bob finds %+v, and %+v in his list", o, list)
	}
}

// ASVS 2.3, 15.4: no overselling, however many come at once.
func Test500BuyersFor100PiecesMake100Orders(t *testing.T) {
	t.Parallel()
	const buyers, pieces = 500, 100
	db, book := open(t)
	exec(t, db, `UPDATE products SET stock = 100 WHERE slug = 'camel-overcoat'`)
	exec(t, db, `
		INSERT INTO users (email, name, password_hash, created_at)
		SELECT n || '@example.com', 'Buyer', '', now() FROM generate_series(1, 500) n`)
	exec(t, db, `INSERT INTO carts (user_id, created_at) SELECT id, now() FROM users`)
	exec(t, db, `
		INSERT INTO cart_items (cart_id, product_id, quantity)
		SELECT c.id, p.id, 1 FROM carts c, products p WHERE p.slug = 'camel-overcoat'`)
	rows, err := db.Query(t.Context(), `SELECT user_id, id FROM carts`)
	if err != nil {
		t.Fatal(err)
	}
	type who struct{ UserID, CartID int64 }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[who])
	if err != nil || len(all) != buyers {
		t.Fatal(len(all), err)
	}

	var mu sync.Mutex
	results := map[error]int{}
	var crowd sync.WaitGroup
	for _, w := range all { // the pool lets in as many at a time as it has connections
		crowd.Go(func() {
			_, err := book.Place(t.Context(), orders.Checkout{UserID: w.UserID, CartID: w.CartID, Key: "some-order-key-0001", Name: "B", Address: "A", At: now})
			mu.Lock()
			defer mu.Unlock()
			results[err]++
		})
	}
	crowd.Wait()
	if results[nil] != pieces || results[orders.ErrShort] != buyers-pieces {
		t.Errorf("500 buyers of 100 pieces: %v", results)
	}
	if placed, stock := number(t, db, `SELECT count(*) FROM orders`), number(t, db, `SELECT stock FROM products WHERE slug = 'camel-overcoat'`); placed != pieces || stock != 0 {
		t.Errorf("%d orders, %d left in stock; want 100 and 0", placed, stock)
	}
	if carts := number(t, db, `SELECT count(*) FROM cart_items`); carts != buyers-pieces {
		t.Errorf("%d carts are still full, want those of the 400 who got nothing", carts)
	}
}

func TestErrorsOfTheDatabaseAreNoRefusals(t *testing.T) {
	t.Parallel()
	db, book := open(t)
	db.Close()
	_, err := book.Place(t.Context(), orders.Checkout{})
	if err == nil || errors.Is(err, orders.ErrEmpty) || errors.Is(err, orders.ErrShort) {
		t.Errorf("Place without a database: %v", err)
	}
}
