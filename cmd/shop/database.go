package main

import (
	"context"
	"errors"
	"fmt"

	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// database is the settings that say where the shop keeps its things.
type database struct {
	DatabaseURL string `name:"database-url" env:"DATABASE_URL" help:"Postgres to use; empty: the shop runs one of its own."`
	DataDir     string `env:"SHOP_DATA_DIR" type:"path" help:"Where the shop's own Postgres keeps its data."`
}

// opened is a database that answers, and how to close it.
type opened struct {
	*pgxpool.Pool
	embedded *postgres.Server // nil if Postgres is somebody else's
}

// open connects to Postgres, which it starts first if none is set. Starting
// one can take a while, so it says what it is doing. The tracer, which may be
// nil, hears of every query.
func (d database) open(ctx context.Context, say func(string), tracer pgx.QueryTracer) (*opened, error) {
	o := &opened{}
	url := d.DatabaseURL
	if url == "" {
		say("no DATABASE_URL is set, so the shop uses a Postgres of its own")
		server, err := postgres.Start(ctx, postgres.Config{DataDir: d.DataDir, Say: say})
		if err != nil {
			return nil, err
		}
		o.embedded, url = server, server.URL()
	}
	pool, err := postgres.Open(ctx, url, tracer)
	if err != nil {
		o.close()
		if errors.Is(err, postgres.ErrBadURL) {
			return nil, fmt.Errorf("%w: %w", errSetting, err)
		}
		return nil, err
	}
	o.Pool = pool
	return o, nil
}

// with opens the database for one command. Beside a shop that is running on a
// Postgres of its own, the command uses that one.
func (d database) with(ctx context.Context, t terminal, do func(*opened) error) (err error) {
	say := func(line string) { fmt.Fprintln(t.err, "shop:", line) }
	if d.DatabaseURL == "" {
		if url, ok := postgres.Running(ctx, d.DataDir); ok {
			say("no DATABASE_URL is set, so this is about the shop's own Postgres, which is running")
			d.DatabaseURL = url
		}
	}
	db, err := d.open(ctx, say, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	return do(db)
}

// exited is closed when the shop's own Postgres has ended; nil if there is none.
func (o *opened) exited() <-chan struct{} {
	if o.embedded == nil {
		return nil
	}
	return o.embedded.Exited()
}

// close closes the pool, and then stops the shop's own Postgres.
func (o *opened) close() error {
	if o.Pool != nil {
		o.Pool.Close()
	}
	if o.embedded != nil {
		return o.embedded.Stop()
	}
	return nil
}
