package pgtest_test

import (
	"testing"

	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

func exists(t *testing.T, pool *pgxpool.Pool, query string, args ...any) bool {
	t.Helper()
	var yes bool
	if err := pool.QueryRow(t.Context(), `SELECT EXISTS (`+query+`)`, args...).Scan(&yes); err != nil {
		t.Fatal(err)
	}
	return yes
}

func mustExec(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

const mark = `SELECT FROM pg_tables WHERE tablename = 'mark'`

func TestEachTestHasAMigratedDatabase(t *testing.T) {
	t.Parallel()
	if n, err := postgres.Migrate(t.Context(), pgtest.New(t)); err != nil || n != 0 {
		t.Errorf("%d migrations were pending, %v", n, err)
	}
}

func TestTwoTestsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	one, other := pgtest.New(t), pgtest.New(t)
	mustExec(t, one, `CREATE TABLE mark ()`)
	if exists(t, other, mark) {
		t.Error("a table of one database is in the other")
	}
	if exists(t, pgtest.New(t), mark) {
		t.Error("a table of one database is in the template")
	}
}

func TestManyTestsCloneAtOnce(t *testing.T) {
	t.Parallel()
	for range 16 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			mustExec(t, pgtest.New(t), `CREATE TABLE mark ()`)
		})
	}
}

func TestTheDatabaseIsDroppedEvenIfAConnectionIsOpen(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("", func(t *testing.T) {
		// As by a shop that the test has started and not stopped.
		pool, err := postgres.Open(t.Context(), pgtest.URL(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		name = pool.Config().ConnConfig.Database
		if !exists(t, pool, `SELECT FROM pg_database WHERE datname = $1`, name) {
			t.Error("the test cannot see its own database")
		}
	})
	if exists(t, pgtest.New(t), `SELECT FROM pg_database WHERE datname = $1`, name) {
		t.Errorf("%s is still there", name)
	}
}

func TestAnEmptyDatabaseIsEmpty(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), pgtest.EmptyURL(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if exists(t, pool, `SELECT FROM pg_tables WHERE schemaname = 'public'`) {
		t.Error("it has tables")
	}
}
