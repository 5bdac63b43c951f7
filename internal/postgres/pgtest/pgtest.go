// Package pgtest gives each test a migrated Postgres database of its own.
//
// Nothing is mocked, and nothing has to be prepared: [New] finds or starts a
// server (see server.go), migrates a template on it once, and clones the
// template for each test, in a few hundredths of a second. So tests can run in
// parallel and need not tidy up after themselves.
package pgtest

import (
	"context"
	"testing"
	"time"

	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// New gives a pool on a migrated database that belongs to the test alone and
// is dropped at its end.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return NewTraced(t, nil)
}

// NewTraced is [New] with a tracer that hears of every query on the pool.
func NewTraced(t testing.TB, tracer pgx.QueryTracer) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), URL(t), tracer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closePool(t, pool) })
	return pool
}

// URL is [New] for tests that start the shop as a process: the address of a
// migrated database that belongs to the test alone.
func URL(t testing.TB) string {
	t.Helper()
	return create(t, (*server).clone)
}

// EmptyURL is [URL] for tests of the migrations: the database has no tables.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return create(t, (*server).createEmpty)
}

func create(t testing.TB, make func(*server, context.Context) (database, error)) string {
	t.Helper()
	srv, err := theServer()
	if err != nil {
		t.Fatalf("no Postgres to test with: %v", err)
	}
	db, err := make(srv, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if err := srv.drop(context.Background(), db); err != nil {
			t.Error(err)
		}
	})
	return db.url
}

// closePool fails the test if it has kept a connection: in the shop, that
// would be a leak.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	closed := make(chan struct{})
	go func() {
		pool.Close() // waits until every connection has come back
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the test ended without giving back ", pool.Stat().AcquiredConns(), " connections of its pool")
	}
}
