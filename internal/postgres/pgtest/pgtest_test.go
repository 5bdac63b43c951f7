package pgtest_test

import (
	"testing"

	"coatcheck/internal/postgres/pgtest"
)

func TestTwoTestsDoNotSeeEachOther(t *testing.T) {
	a, b := pgtest.New(t), pgtest.New(t)
	if _, err := a.Exec(t.Context(), `CREATE TABLE mark ()`); err != nil {
		t.Fatal(err)
	}
	var seen bool
	err := b.QueryRow(t.Context(), `SELECT to_regclass('mark') IS NOT NULL`).Scan(&seen)
	if err != nil {
		t.Fatal(err)
	}
	if seen {
		t.Error("a table of one database is in the other")
	}
}
