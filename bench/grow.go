package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// grow measures how the shop's cost grows with what it has to hold and to show.
// It takes half an hour, and is no part of make bench.
func (b *bench) grow(ctx context.Context, db *pgxpool.Pool) error {
	for _, part := range []struct {
		name    string
		measure func(context.Context, *pgxpool.Pool) error
	}{
		{"lines", b.growLines}, {"products", b.growProducts}, {"shops", b.growShops},
		{"memory", b.growMemory}, {"sessions", b.growSessions}, {"sweep", b.sweep},
	} {
		if !strings.Contains(part.name, *only) {
			continue
		}
		if err := open(ctx, db, *visitors); err != nil { // as before the other parts
			return err
		}
		if err := execute(ctx, db, `VACUUM ANALYZE`, `CHECKPOINT`); err != nil {
			return err
		}
		if err := part.measure(ctx, db); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// A probe asks the shop for a page: at leisure, for what it takes one visitor,
// and then as often as it can.
type probe struct{ p50, p99, rate float64 }

func (p probe) String() string {
	if p == (probe{}) {
		return "– | – | –"
	}
	return fmt.Sprintf("%.2f | %.1f | %.0f", p.p50, p.p99, p.rate)
}

func (b *bench) probe(ctx context.Context, path string, among int) (p probe, err error) {
	r, err := theShop.start(ctx, b.database)
	if err != nil {
		return p, err
	}
	defer r.stop()
	ticket := r.ticket
	if among <= *visitors {
		ticket = r.remembered()
	}
	l := &load{addr: r.addr, request: get(path, ticket), status: 200, visitors: among, clients: *clients, warm: *warm, length: *length, rate: 500}
	var p50, p99, rate sample
	for range *rounds {
		l.seed++
		l.rate = 500
		o, err := l.run(ctx)
		if err != nil {
			return p, err
		}
		p50, p99 = append(p50, milliseconds(o.quantile(0.50))), append(p99, milliseconds(o.quantile(0.99)))
		l.rate = 0
		if o, err = l.run(ctx); err != nil {
			return p, err
		}
		rate = append(rate, o.rate())
	}
	return probe{p50.median(), p99.median(), rate.median()}, nil
}

func execute(ctx context.Context, db *pgxpool.Pool, statements ...string) error {
	for _, sql := range statements {
		if _, err := db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func (b *bench) growLines(ctx context.Context, db *pgxpool.Pool) error {
	fmt.Print("\n| lines in each cart | `GET /` p50 ms, at 500 a second | p99 ms | at most a second | `GET /cart` p50 ms | p99 ms | at most a second |\n|--:|--:|--:|--:|--:|--:|--:|\n")
	err := execute(ctx, db, `
		INSERT INTO products (slug, name, category, description, price_cents, stock)
		SELECT 'more-' || n, 'More ' || n, 'More', 'One of many.', 100, 50 FROM generate_series(1, 10) n`)
	if err != nil {
		return err
	}
	for _, lines := range []int{1, 3, 10, 20} {
		err := execute(ctx, db, `TRUNCATE cart_items`, fmt.Sprintf(`
			INSERT INTO cart_items SELECT c.id, p.id, 1 FROM carts c,
			(SELECT id FROM products ORDER BY slug LIKE 'more-%%' DESC, id LIMIT %d) p`, lines), `VACUUM ANALYZE cart_items`)
		if err != nil {
			return err
		}
		page, err := b.probe(ctx, "/", *visitors)
		if err != nil {
			return err
		}
		cart, err := b.probe(ctx, "/cart", *visitors)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %v | %v |\n", lines, page, cart)
	}
	return nil
}

func (b *bench) growProducts(ctx context.Context, db *pgxpool.Pool) error {
	fmt.Print("\n| products | bytes of `GET /` | p50 ms, at 500 a second | p99 ms | at most a second | `GET /cart` p50 ms | p99 ms | at most a second |\n|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	if err := execute(ctx, db, `DELETE FROM cart_items WHERE product_id > 10`, `DELETE FROM products WHERE id > 10`); err != nil {
		return err
	}
	for have, want := 10, 10; want <= 10_000; have, want = want, want*10 {
		err := execute(ctx, db, fmt.Sprintf(`
			INSERT INTO products (slug, name, category, description, price_cents, stock)
			SELECT 'coat-' || n, 'Coat ' || n, 'More', 'One of many.', 100, 50 FROM generate_series(%d, %d) n`, have+1, want), `VACUUM ANALYZE products`)
		if err != nil {
			return err
		}
		r, err := theShop.start(ctx, b.database)
		if err != nil {
			return err
		}
		body, err := r.page("/", 1)
		if err := errors.Join(err, r.stop()); err != nil {
			return err
		}
		page := probe{}
		if want <= 1000 { // of the largest, 500 a second would be more than a gigabyte
			if page, err = b.probe(ctx, "/", *visitors); err != nil {
				return err
			}
		}
		cart, err := b.probe(ctx, "/cart", *visitors)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %d | %v | %v |\n", want, len(body), page, cart)
	}
	return nil
}

func (b *bench) growShops(ctx context.Context, _ *pgxpool.Pool) error {
	fmt.Print("\n| shops | at most a second, `GET /` | p99 ms | statements a page |\n|--:|--:|--:|--:|\n")
	for n := 1; n <= 4; n++ {
		if err := b.shops(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// shops measures so many of them beside each other.
func (b *bench) shops(ctx context.Context, n int) error {
	loads := make([]*load, n)
	for i := range loads {
		r, err := theShop.start(ctx, b.database)
		if err != nil {
			return err
		}
		defer r.stop()
		share := *clients / n
		if i < *clients%n {
			share++
		}
		loads[i] = &load{addr: r.addr, request: get("/", r.remembered()), status: 200, visitors: *visitors, clients: share, warm: *warm, length: *length, seed: uint64(i)}
	}
	all := func() (rate float64, latencies []time.Duration, requests int, err error) {
		var group errgroup.Group
		outcomes := make([]outcome, n)
		for i, l := range loads {
			group.Go(func() (err error) { outcomes[i], err = l.run(ctx); return err })
		}
		err = group.Wait()
		for _, o := range outcomes {
			rate += o.rate()
			latencies = append(latencies, o.latencies...)
			requests += o.all
		}
		slices.Sort(latencies)
		return rate, latencies, requests, err
	}
	var rates, p99 sample
	for range *rounds {
		rate, latencies, _, err := all()
		if err != nil {
			return err
		}
		rates = append(rates, rate)
		p99 = append(p99, milliseconds(outcome{latencies: latencies}.quantile(0.99)))
	}
	requests := 0
	count, err := b.meter.statements(ctx, func() (err error) { _, _, requests, err = all(); return err })
	if err != nil {
		return err
	}
	fmt.Printf("| %d | %.0f | %.1f | %.2f |\n", n, rates.median(), p99.median(), float64(count)/float64(requests))
	return nil
}

// growMemory sends what comes in an hour at 800 requests a second.
func (b *bench) growMemory(ctx context.Context, _ *pgxpool.Pool) error {
	fmt.Print("\n| requests answered | memory of the shop (resident), MB |\n|--:|--:|\n")
	r, err := theShop.start(ctx, b.database)
	if err != nil {
		return err
	}
	defer r.stop()
	const hour = 800 * 3600
	l := &load{addr: r.addr, request: get("/", r.remembered()), status: 200, visitors: *visitors, clients: *clients, length: 20 * time.Second}
	for answered := 0; ; l.seed++ {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
		if err != nil {
			return err
		}
		_, after, _ := strings.Cut(string(status), "VmRSS:")
		kilobytes, err := strconv.Atoi(strings.Fields(after)[0])
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.1f |\n", answered, float64(kilobytes)/1024)
		if answered >= hour {
			return nil
		}
		o, err := l.run(ctx)
		if err != nil {
			return err
		}
		answered += o.all
	}
}
