package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// growSessions gives everybody more sessions, up to ten million in all.
func (b *bench) growSessions(ctx context.Context, db *pgxpool.Pool) error {
	fmt.Print("\n| sessions | look-up p50 µs | p99 µs | `GET /` p50 ms, at 500 a second | p99 ms | at most a second | table, B a session | indexes, B a session | a walk of the sweep |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	if err := execute(ctx, db, `TRUNCATE sessions`); err != nil {
		return err
	}
	have := 0
	for _, want := range []int{10_000, 1_000_000, 10_000_000} {
		now := time.Now()
		if err := copySessions(ctx, db, have, want, now.Add(4*time.Hour)); err != nil {
			return err
		}
		have = want
		if err := execute(ctx, db, `VACUUM ANALYZE sessions`, `CHECKPOINT`); err != nil {
			return err
		}
		lookUp, err := lookUps(ctx, db, want)
		if err != nil {
			return err
		}
		page, err := b.probe(ctx, "/", want)
		if err != nil {
			return err
		}
		var table, indexes int64
		err = db.QueryRow(ctx, `SELECT pg_table_size('sessions'), pg_indexes_size('sessions')`).Scan(&table, &indexes)
		if err != nil {
			return err
		}
		begun := time.Now()
		if n, err := pgstore.New(db).Sweep(ctx, now); n != 0 || err != nil {
			return fmt.Errorf("the sweep of live sessions: %d, %w", n, err)
		}
		fmt.Printf("| %d | %.0f | %.0f | %v | %d | %d | %v |\n", want, 1000*lookUp.p50, 1000*lookUp.p99, page, table/int64(want), indexes/int64(want), time.Since(begun).Round(time.Second))
	}
	return nil
}

// copySessions files the sessions from one number to another; the users have
// them in turn.
func copySessions(ctx context.Context, db copier, from, to int, idleUntil time.Time) error {
	now := time.Now()
	_, err := db.CopyFrom(ctx, pgx.Identifier{"sessions"},
		[]string{"key", "handle", "user_id", "cart_id", "created_at", "idle_until", "until"},
		pgx.CopyFromSlice(to-from, func(i int) ([]any, error) {
			n := from + i + 1
			key := sha256.Sum256([]byte(shopID(n)))
			who := int64(1 + n%*visitors)
			return []any{key[:], fmt.Sprintf("H%011d", n), who, who, now, idleUntil, now.Add(12 * time.Hour)}, nil
		}))
	return err
}

// lookUps finds sessions one after the other, as one connection can.
func lookUps(ctx context.Context, db *pgxpool.Pool, sessionsThere int) (p probe, err error) {
	store := pgstore.New(db)
	o := outcome{}
	for i := range 20_000 {
		n := 1 + (i*7919)%sessionsThere
		key := sessions.Key(sha256.Sum256([]byte(shopID(n))))
		begun := time.Now()
		if _, err := store.Load(ctx, key); err != nil {
			return p, err
		}
		o.latencies = append(o.latencies, time.Since(begun))
	}
	o.latencies = o.latencies[1000:] // with what was to be read from disk
	slices.Sort(o.latencies)
	return probe{p50: milliseconds(o.quantile(0.50)), p99: milliseconds(o.quantile(0.99))}, nil
}

// sweep lets a million sessions expire, which the shop clears away while people shop.
func (b *bench) sweep(ctx context.Context, db *pgxpool.Pool) error {
	if err := execute(ctx, db, `TRUNCATE sessions`); err != nil {
		return err
	}
	if err := copySessions(ctx, db, 0, *visitors, time.Now().Add(4*time.Hour)); err != nil {
		return err
	}
	r, err := theShop.start(ctx, b.database)
	if err != nil {
		return err
	}
	defer r.stop()
	started := time.Now()
	l := &load{addr: r.addr, request: get("/", r.remembered()), status: 200, visitors: *visitors, clients: *clients, warm: *warm, length: 15 * time.Second, rate: 500}
	before, err := l.run(ctx)
	if err != nil {
		return err
	}
	// A million more, all of them long over, which nobody comes back for.
	err = copySessions(ctx, db, *visitors, *visitors+1_000_000, time.Now().Add(-2*time.Hour))
	if err != nil {
		return err
	}
	if err := execute(ctx, db, `ANALYZE sessions`, `CHECKPOINT`); err != nil {
		return err
	}
	const swept = "what=sessions removed=1000000"
	begun := started.Add(time.Minute) // when the shop's sweep sets out
	if time.Now().After(begun) {
		return errors.New("this machine is too slow to fill the table within a minute")
	}
	time.Sleep(time.Until(begun))
	l.length = 2 * time.Second
	var during outcome
	for said := ""; !strings.Contains(said, swept); {
		l.seed++
		o, err := l.run(ctx)
		if err != nil {
			return err
		}
		during.latencies = append(during.latencies, o.latencies...)
		text, err := os.ReadFile(r.log.Name())
		if err != nil {
			return err
		}
		said = string(text)
	}
	took := time.Since(begun)
	slices.Sort(during.latencies)
	fmt.Printf("\nA million expired sessions were swept in %v; a page's p99 was %.1f ms before and %.1f ms meanwhile, at 500 a second.\n",
		took.Round(time.Second), milliseconds(before.quantile(0.99)), milliseconds(during.quantile(0.99)))
	return nil
}
