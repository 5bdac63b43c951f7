package e2e_test

import (
	"context"
	"sync"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
)

// The program is put together so that its requests share what they can: a page's
// session brings the visitor along, the products come by the connection that
// listens, and additions are committed together.
func TestServedShopSharesItsStatements(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	settings := "DATABASE_URL=" + database
	if code, out := process.Run(t, []string{settings}, "seed"); code != 0 {
		t.Fatalf("shop seed: %d, %s", code, out)
	}
	shop := process.Open(t, settings)
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	// How many of the shop's connections have last said such a thing.
	saying := func(what string) (n int) {
		err := conn.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity
			WHERE application_name = 'coatcheck' AND datname = current_database() AND strpos(query, $1) > 0`, what).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}

	guests := make([]*visitor, 16)
	for i := range guests {
		guests[i] = visit(t, shop)
		guests[i].add("camel-overcoat").is(t, "", "1")
		guests[i].get("/").is(t, "", "1")
	}
	if saying("LEFT JOIN LATERAL") == 0 {
		t.Error("no page's session has brought its visitor along")
	}
	if n := saying("FROM products ORDER BY id") + saying("LISTEN products"); n != 1 {
		t.Errorf("%d connections have asked for the products, want the one that listens", n)
	}

	// What is committed together has been written by one transaction.
	for together, rounds := false, 0; !together; rounds++ {
		if rounds == 19 {
			t.Fatal("16 guests added to their carts at once, 19 times, and never was it committed together")
		}
		var adding sync.WaitGroup
		for _, guest := range guests {
			adding.Go(func() { guest.add("camel-overcoat") })
		}
		adding.Wait()
		if err := conn.QueryRow(t.Context(), `SELECT count(DISTINCT xmin::text) < count(*) FROM cart_items`).Scan(&together); err != nil {
			t.Fatal(err)
		}
	}
}
