package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions"
)

// What requests cost, in measures that are the same on every machine. How long
// they take, only the benchmark says.
type cost struct {
	trips   int // to Postgres
	rows    int // written
	inPlace int // of them, updated without a change of an index
	wal     int // bytes of write-ahead log, at most
	allocs  int // of memory, at most
}

// ownServer is a Postgres on which nobody else writes: how much is written into
// the write-ahead log is known of a server alone.
func ownServer(t *testing.T) (url string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "coatcheck-cost-")
	if err != nil {
		t.Fatal(err)
	}
	server, err := postgres.Start(t.Context(), postgres.Config{DataDir: dir, Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		os.RemoveAll(dir)
	})
	return server.URL()
}

func TestRequestsCostWhatTheyMust(t *testing.T) {
	trips := &roundTrips{}
	db, err := postgres.Open(t.Context(), ownServer(t)+"&pool_max_conns=1", trips)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, err := postgres.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	s := openOn(t, db, unhurried)
	s.exec(`UPDATE products SET stock = 1000`)
	s.exec(`ALTER TABLE cart_items DROP CONSTRAINT cart_items_quantity_check`)
	s.listening()() // what it has heard is good for as long as the clock stands still
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	alice.get("/")

	get := func(path, ticket string) func(int) *http.Request {
		return func(int) *http.Request {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			if ticket != "" {
				r.AddCookie(&http.Cookie{Name: "session", Value: ticket})
			}
			return r
		}
	}
	post := func(path string, fields ...string) *http.Request {
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: "session", Value: alice.ticket()})
		return r
	}
	new := s.texts(`SELECT slug FROM products WHERE slug <> 'camel-overcoat' AND slug <> 'navy-peacoat'`)
	for _, c := range []struct {
		name    string
		request func(n int) *http.Request
		cost
	}{
		{"a page without a ticket", get("/", ""), cost{allocs: 72}},
		{"a page", get("/", alice.ticket()), cost{trips: 1, allocs: 170}},
		{"the page of a product", get("/products/navy-peacoat", alice.ticket()), cost{trips: 1, allocs: 305}},
		{"the cart", get("/cart", alice.ticket()), cost{trips: 1, allocs: 215}},
		{"an asset", get(alice.asset(), alice.ticket()), cost{allocs: 63}},
		{"a page after a pause", func(int) *http.Request {
			s.clock.advance(sessions.DefaultPolicy.Idle / 2)
			return get("/account", alice.ticket())(0)
		}, cost{trips: 2, rows: 1, inPlace: 1, wal: 160, allocs: 288}},
		{"one more of what is in the cart", func(int) *http.Request {
			return post("/cart/items", "product", "camel-overcoat", "quantity", "1")
		}, cost{trips: 2, rows: 1, inPlace: 1, wal: 200, allocs: 182}},
		{"something new in the cart", func(n int) *http.Request {
			return post("/cart/items", "product", new[n], "quantity", "1")
		}, cost{trips: 2, rows: 1, wal: 400, allocs: 184}},
	} {
		t.Run(c.name, func(t *testing.T) { s.costs(t, trips, len(new)-1, c.request, c.cost) })
	}
}

// costs sends some requests and compares what they cost with what they may.
func (s *shop) costs(t *testing.T, trips *roundTrips, n int, request func(int) *http.Request, may cost) {
	ctx := context.WithValue(t.Context(), notCounted{}, true)
	read := func() (is cost) {
		for _, sql := range []string{`SELECT pg_stat_force_next_flush()`, `SELECT 1`} {
			if _, err := s.db.Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
		err := s.db.QueryRow(ctx, `
			SELECT sum(n_tup_ins + n_tup_upd + n_tup_del), sum(n_tup_hot_upd), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint
			FROM pg_stat_user_tables`).Scan(&is.rows, &is.inPlace, &is.wal)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	before, i := read(), 0
	trips.since()
	allocs := testing.AllocsPerRun(n, func() { // one to warm up, and n that count
		w := httptest.NewRecorder()
		s.ServeHTTP(w, request(i))
		if i++; w.Code >= 400 {
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
	})
	sent := len(trips.since())
	after := read()
	t.Logf("trips %d, rows %d, in place %d, WAL %d B, allocations %.0f", sent/(n+1), (after.rows-before.rows)/(n+1), (after.inPlace-before.inPlace)/(n+1), (after.wal-before.wal)/(n+1), allocs)
	if sent != may.trips*(n+1) {
		t.Errorf("%d requests take %d round trips, want %d each", n+1, sent, may.trips)
	}
	if rows := after.rows - before.rows; rows != may.rows*(n+1) {
		t.Errorf("%d requests write %d rows, want %d each", n+1, rows, may.rows)
	}
	if inPlace := after.inPlace - before.inPlace; inPlace < may.inPlace*(n+1)*9/10 {
		t.Errorf("of %d updates only %d are in place", n+1, inPlace)
	}
	if wal := (after.wal - before.wal) / (n + 1); wal > may.wal {
		t.Errorf("a request writes %d B of write-ahead log, want %d at most", wal, may.wal)
	}
	if int(allocs) > may.allocs {
		t.Errorf("a request allocates %.0f times, want %d at most", allocs, may.allocs)
	}
}
