package catalog_test

import (
	"io/fs"
	"slices"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/static"

	"github.com/jackc/pgx/v5/pgxpool"
)

func seeded(t *testing.T) *pgxpool.Pool {
	t.Helper()
	db := pgtest.New(t)
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

func rail(t *testing.T, db *pgxpool.Pool) *catalog.Rail {
	t.Helper()
	r, err := catalog.New(db, time.Minute, nil).Rail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func all(t *testing.T, db *pgxpool.Pool) []catalog.Product {
	t.Helper()
	return rail(t, db).Products
}

func product(t *testing.T, db *pgxpool.Pool, slug string) catalog.Product {
	t.Helper()
	p := rail(t, db).Product(slug)
	if p == nil {
		t.Fatalf("there is no %s", slug)
	}
	return *p
}

func TestSeedFillsTheRail(t *testing.T) {
	t.Parallel()
	products := all(t, seeded(t))
	soldOut, three := 0, 0
	for _, p := range products {
		if p.SoldOut() {
			soldOut++
		}
		if p.Stock == 3 {
			three++
		}
		if p.ID == 0 || p.Name == "" || p.Category == "" || p.Description == "" || p.Price <= 0 {
			t.Errorf("%+v lacks something", p)
		}
		if _, err := fs.Stat(static.Files, p.Picture()); err != nil {
			t.Errorf("%s has no picture: %v", p.Slug, err)
		}
		if p.Few() != (p.Stock >= 1 && p.Stock <= 5) {
			t.Errorf("%d of %s are few: %v", p.Stock, p.Slug, p.Few())
		}
	}
	if len(products) < 12 || soldOut != 1 || three != 1 {
		t.Errorf("%d products, %d sold out, %d with three left; want 12 at least, 1 and 1", len(products), soldOut, three)
	}
	for _, slug := range []string{"camel-overcoat", "navy-peacoat", "yellow-raincoat"} {
		if !slices.ContainsFunc(products, func(p catalog.Product) bool { return p.Slug == slug }) {
			t.Errorf("there is no %s", slug)
		}
	}
}

func TestSeedLeavesProductsAsTheyAre(t *testing.T) {
	t.Parallel()
	db := seeded(t)
	if _, err := db.Exec(t.Context(), `UPDATE products SET stock = 7, price_cents = 1`); err != nil {
		t.Fatal(err)
	}
	before := all(t, db)
	if err := catalog.Seed(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if after := all(t, db); !slices.Equal(before, after) {
		t.Errorf("a second Seed made %v of %v", after, before)
	}
}

func TestProductIsFoundByItsExactSlug(t *testing.T) {
	t.Parallel()
	db := seeded(t)
	if p := product(t, db, "camel-overcoat"); p.Name != "Camel Overcoat" || p.Price != 429_00 {
		t.Errorf("Product finds %+v", p)
	}
	for _, slug := range []string{"", "Camel-Overcoat", "camel", "camel-overcoat ", "%"} {
		if p := rail(t, db).Product(slug); p != nil {
			t.Errorf("Product(%q) finds %+v", slug, p)
		}
	}
}

// take runs one sale in a transaction of its own, as orders does.
func take(t *testing.T, db *pgxpool.Pool, sales ...catalog.Sale) (enough bool, err error) {
	tx, err := db.Begin(t.Context())
	if err != nil {
		return false, err
	}
	defer tx.Rollback(t.Context())
	enough, err = catalog.Take(t.Context(), tx, sales)
	if !enough || err != nil {
		return false, err
	}
	return true, tx.Commit(t.Context())
}

func TestTakeTakesAllOrNothing(t *testing.T) {
	t.Parallel()
	db := seeded(t)
	coat, check, none := product(t, db, "camel-overcoat"), product(t, db, "check-coat"), product(t, db, "shearling-jacket")
	for _, sales := range [][]catalog.Sale{
		{{coat.ID, 1}, {check.ID, 4}},
		{{check.ID, 4}, {coat.ID, 1}},
		{{coat.ID, 1}, {none.ID, 1}},
		{{coat.ID, 1}, {-1, 1}}, // no such product
	} {
		if enough, err := take(t, db, sales...); enough || err != nil {
			t.Errorf("Take(%v) = %v, %v", sales, enough, err)
		}
	}
	if enough, err := take(t, db, catalog.Sale{coat.ID, 2}, catalog.Sale{check.ID, 3}); !enough || err != nil {
		t.Errorf("Take of what is there = %v, %v", enough, err)
	}
	if a, b := product(t, db, "camel-overcoat").Stock, product(t, db, "check-coat").Stock; a != coat.Stock-2 || b != 0 {
		t.Errorf("%d and %d are left, want %d and 0", a, b, coat.Stock-2)
	}
}

// Two buyers who name the same coats in another order wait for each other;
// they do not block each other.
func TestBuyersOfTheSameCoatsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	db := seeded(t)
	a, b := product(t, db, "camel-overcoat"), product(t, db, "navy-peacoat")
	var buyers sync.WaitGroup
	for i := range 40 {
		sales := []catalog.Sale{{a.ID, 1}, {b.ID, 1}}
		if i%2 == 0 {
			slices.Reverse(sales)
		}
		buyers.Go(func() {
			if enough, err := take(t, db, sales...); !enough || err != nil {
				t.Errorf("Take = %v, %v", enough, err)
			}
		})
	}
	buyers.Wait()
	if left := product(t, db, "camel-overcoat").Stock; left != a.Stock-40 {
		t.Errorf("%d are left, want %d", left, a.Stock-40)
	}
}
