package browser_test

import (
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

// shopsDatabase is where a test turns the clock of the one session there is.
type shopsDatabase struct {
	t  *testing.T
	db *pgxpool.Pool
}

func openWithDatabase(t *testing.T, settings ...string) (*process.Shop, *shopsDatabase) {
	t.Helper()
	url := pgtest.URL(t)
	shop := process.Open(t, append(settings, "DATABASE_URL="+url, "SHOP_DEMO=true")...)
	db, err := postgres.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return shop, &shopsDatabase{t, db}
}

func (d *shopsDatabase) exec(sql string, args ...any) {
	d.t.Helper()
	if tag, err := d.db.Exec(d.t.Context(), sql, args...); err != nil || tag.RowsAffected() != 1 {
		d.t.Fatalf("%s: %v, %v", sql, tag, err)
	}
}

func (d *shopsDatabase) sessionEnds(in time.Duration) {
	d.t.Helper()
	d.exec(`UPDATE sessions SET idle_until = now() + $1::interval`, in)
}

func (d *shopsDatabase) deadline() (idleUntil time.Time) {
	d.t.Helper()
	if err := d.db.QueryRow(d.t.Context(), `SELECT idle_until FROM sessions`).Scan(&idleUntil); err != nil {
		d.t.Fatal(err)
	}
	return idleUntil
}
