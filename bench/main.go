// Bench compares the shop with shops that do the same work with well-known
// session libraries, and with what no shop could beat.
//
// Every contestant is a process of its own. They take turns, round by round, on
// one Postgres and with the same visitors, so that what disturbs the machine
// disturbs them all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"coatcheck/internal/postgres"
)

var (
	rounds   = flag.Int("rounds", 3, "how often each contestant has its turn")
	length   = flag.Duration("length", 2*time.Second, "of each measuring")
	warm     = flag.Duration("warm", 500*time.Millisecond, "before each measuring")
	visitors = flag.Int("visitors", 100_000, "who have a session")
	clients  = flag.Int("clients", 32, "connections that ask at a time")
	only     = flag.String("only", "", "the scenarios whose names contain this")
	who      = flag.String("who", "", "the contestants whose names contain this")
	chart    = flag.String("chart", "", "file to draw the chart into")
	update   = flag.String("update", "", "document to put the tables into, between its marks")
	growing  = flag.Bool("grow", false, "measure how the shop's cost grows, instead; takes half an hour")
	shop     = flag.String("shop", "../bin/shop", "the shop's program")

	serving  = flag.String("serve", "", "be this contestant")
	addr     = flag.String("addr", "", "with -serve: address to listen on")
	database = flag.String("database", "", "with -serve: URL of the database")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := compare
	if *serving != "" {
		run = func(context.Context) error { return serve(*serving, *addr, *database) }
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "coatcheck-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	say := func(line string) { fmt.Fprintln(os.Stderr, line) }
	server, err := postgres.Start(ctx, postgres.Config{DataDir: dir, Say: say})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	b := &bench{database: server.URL()}
	if b.meter, err = newMeter(ctx, server, dir); err != nil {
		return err
	}
	defer b.meter.admin.Close(context.WithoutCancel(ctx))
	say(fmt.Sprintf("making %d visitors with a session each", *visitors))
	db, err := postgres.Open(ctx, b.database, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := fill(ctx, db, *visitors); err != nil {
		return err
	}
	if *growing {
		return b.grow(ctx, db)
	}
	db.Reset() // nobody but the contestants and the meter is to be connected
	var results []*result
	for _, s := range scenarios {
		if !strings.Contains(s.name, *only) {
			continue
		}
		if err := b.check(ctx, s); err != nil {
			return err
		}
		rs, err := b.run(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		results = append(results, rs...)
		fmt.Println(table(rs))
	}
	return report(results, fmt.Sprintf("%s, PostgreSQL %s, %d cores", runtime.Version(), server.Binaries().Version, runtime.NumCPU()))
}
