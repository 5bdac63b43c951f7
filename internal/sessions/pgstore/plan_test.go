package pgstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Each call sends one statement, which is caught on its way and shown to the
// planner with ten thousand sessions in the table.
func TestEveryCallGoesByAnIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, 10_000)
	for name, want := range map[string]struct {
		index string
		call  func(ctx context.Context, st *pgstore.Store, f filed)
	}{
		"Load":  {"Index Scan using sessions_pkey", func(ctx context.Context, st *pgstore.Store, f filed) { _, _ = st.Load(ctx, f.key) }},
		"Touch": {"Index Scan using sessions_pkey", func(ctx context.Context, st *pgstore.Store, f filed) { _ = st.Touch(ctx, f.key, now) }},
		"Move": {"Index Scan using sessions_pkey", func(ctx context.Context, st *pgstore.Store, f filed) {
			_ = st.Move(ctx, f.key, newSession().key, f.Session, happened)
		}},
		"Delete":       {"Index Scan using sessions_pkey", func(ctx context.Context, st *pgstore.Store, f filed) { _ = st.Delete(ctx, f.key, happened) }},
		"ByUser":       {"sessions_of_user", func(ctx context.Context, st *pgstore.Store, f filed) { _, _ = st.ByUser(ctx, 7) }},
		"DeleteHandle": {"sessions_of_user", func(ctx context.Context, st *pgstore.Store, f filed) { _ = st.DeleteHandle(ctx, 7, f.Handle, happened) }},
		"DeleteOldest": {"sessions_of_user", func(ctx context.Context, st *pgstore.Store, f filed) {
			_, _ = st.DeleteOldest(ctx, 7, 20, f.key, happened)
		}},
		"DeleteByUser": {"sessions_of_user", func(ctx context.Context, st *pgstore.Store, f filed) {
			_, _ = st.DeleteByUser(ctx, 7, sessions.Key{}, happened)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watched, statements := watched(t, db)
			want.call(t.Context(), pgstore.New(watched), newSession())
			if len(statements.sent) != 1 {
				t.Errorf("%d statements were sent, want 1", len(statements.sent))
			}
			plan := explain(t, db, statements.sent[0])
			if !strings.Contains(plan, want.index) || strings.Contains(plan, "Seq Scan") {
				t.Errorf("the plan goes another way than by %s:\n%s", want.index, plan)
			}
		})
	}
}

// A sweep reads each page of the table once, though it takes many steps.
func TestSweepGoesPageByPage(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, 10_000)
	watched, statements := watched(t, db)
	if _, err := pgstore.New(watched).Sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	plan := explain(t, db, statements.sent[0])
	if !strings.Contains(plan, "Tid Range Scan on sessions") || strings.Contains(plan, "Seq Scan") {
		t.Errorf("a step of the sweep reads more than its pages:\n%s", plan)
	}
}

// To trim the record is to look at its oldest events, and not at the others.
func TestTrimmingReadsNoMoreThanItsStep(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`INSERT INTO session_events (at, kind) SELECT now(), 'made' FROM generate_series(1, 100000)`, `ANALYZE session_events`,
	} {
		if _, err := db.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	watched, statements := watched(t, db)
	if _, err := pgstore.TrimRecord(t.Context(), watched, now); err != nil {
		t.Fatal(err)
	}
	if plan := explain(t, db, statements.sent[0]); strings.Contains(plan, "Seq Scan") {
		t.Errorf("a step reads the whole record:\n%s", plan)
	}
}

// explain gives the plan that a connection of the shop's keeps for a statement:
// the one that serves any parameters, and so does not know these.
func explain(t *testing.T, db *pgxpool.Pool, s pgx.TraceQueryStartData) string {
	t.Helper()
	conn, err := db.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	nothing := strings.TrimSuffix(strings.Repeat("NULL, ", len(s.Args)), ", ")
	var plan strings.Builder
	for _, sql := range []string{"PREPARE shown AS " + s.SQL, "EXPLAIN EXECUTE shown(" + nothing + ")", "DEALLOCATE shown"} {
		results, err := conn.Conn().PgConn().Exec(t.Context(), sql).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range results[0].Rows {
			fmt.Fprintf(&plan, "%s\n", row[0])
		}
	}
	return plan.String()
}

// An index on a deadline would make each touch rewrite it.
func TestNoIndexCoversADeadline(t *testing.T) {
	t.Parallel()
	rows, err := pgtest.New(t).Query(t.Context(), `
		SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'sessions'::regclass`)
	if err != nil {
		t.Fatal(err)
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(indexes) == 0 {
		t.Error("the table has no index at all")
	}
	for _, def := range indexes {
		if strings.Contains(def, "until") {
			t.Errorf("this index covers a deadline: %s", def)
		}
	}
}

// A heap-only-tuple update puts the new version of the row beside the old one
// and leaves the indexes alone. Every tenth row is touched, so the room that
// fillfactor leaves suffices: what else it takes, clearing away old versions,
// can be held up by any transaction on the same server.
func TestTouchesLeaveTheIndexesAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fill(t, db, 10_000)
	rows, err := db.Query(t.Context(), `SELECT key FROM sessions WHERE cart_id % 10 = 0`)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		t.Fatal(err)
	}
	server := another(t, db, func(c *pgxpool.Config) { c.MaxConns = 1 })
	st := pgstore.New(server)
	for _, key := range keys {
		if err := st.Touch(t.Context(), sessions.Key(key), now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.Exec(t.Context(), `SELECT pg_stat_force_next_flush()`); err != nil {
		t.Fatal(err)
	}
	server.Close()

	var updates, hot int
	for updates < len(keys) { // until that connection's figures are in
		err := db.QueryRow(t.Context(), `
			SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'sessions'`).Scan(&updates, &hot)
		if err != nil {
			t.Fatal(err)
		}
	}
	if hot < updates*95/100 {
		t.Errorf("of %d touches only %d were heap-only", updates, hot)
	}
}
