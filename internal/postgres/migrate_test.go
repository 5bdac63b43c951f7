package postgres_test

import (
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"

	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/migrations"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// openEmpty gives a pool on a database without tables.
func openEmpty(t *testing.T, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func countMigrations(t *testing.T) int {
	t.Helper()
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no migrations: ", err)
	}
	return len(files)
}

func TestMigrateThereAndBack(t *testing.T) {
	t.Parallel()
	// A single connection is enough: the lock and the work share it.
	pool := openEmpty(t, with(t, pgtest.EmptyURL(t), "pool_max_conns", "1"))
	all := countMigrations(t)
	for _, want := range []int{all, 0} {
		if n, err := postgres.Migrate(t.Context(), pool); err != nil || n != want {
			t.Fatalf("applied %d, %v; want %d", n, err, want)
		}
	}
	wantApplied(t, pool, all)
	if undone, err := postgres.MigrateDown(t.Context(), pool); err != nil || undone != int64(all) {
		t.Fatalf("undid %d, %v", undone, err)
	}
	wantApplied(t, pool, all-1)
	for range all {
		if _, err := postgres.MigrateDown(t.Context(), pool); err != nil {
			t.Fatal(err)
		}
	}
	wantApplied(t, pool, 0)
	var tables int
	err := pool.QueryRow(t.Context(), `
		SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'`).Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("going down left %d tables, %v", tables, err)
	}
}

func wantApplied(t *testing.T, pool *pgxpool.Pool, want int) {
	t.Helper()
	list, err := postgres.Status(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	applied := 0
	for _, m := range list {
		if !m.AppliedAt.IsZero() {
			applied++
		}
	}
	if applied != want || len(list) != countMigrations(t) {
		t.Errorf("status: %+v; want %d applied", list, want)
	}
}

func TestServersThatStartAtOnceMigrateOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.EmptyURL(t)
	var applied atomic.Int64
	var group errgroup.Group
	for range 12 {
		pool := openEmpty(t, with(t, address, "pool_max_conns", "2"))
		group.Go(func() error {
			n, err := postgres.Migrate(t.Context(), pool)
			applied.Add(int64(n))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if want := int64(countMigrations(t)); applied.Load() != want {
		t.Errorf("together they applied %d migrations; there are %d", applied.Load(), want)
	}
}

func TestASchemaFromTheFutureIsRefused(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (900, true)`); err != nil {
		t.Fatal(err)
	}
	_, up := postgres.Migrate(t.Context(), pool)
	_, down := postgres.MigrateDown(t.Context(), pool)
	for _, err := range []error{up, down} {
		if err == nil || !strings.Contains(err.Error(), "schema is version 900") ||
			!strings.Contains(err.Error(), "none after ") {
			t.Errorf("got %v", err)
		}
	}
}
