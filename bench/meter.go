package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// A meter reads what a contestant costs: Postgres by its own statistics and its
// log, and the processors' time by what Linux says of each process.
type meter struct {
	admin  *pgx.Conn
	server *postgres.Server
	dir    string // of the server's data
}

func newMeter(ctx context.Context, server *postgres.Server, dir string) (*meter, error) {
	conn, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		return nil, err
	}
	m := &meter{conn, server, dir}
	// What the meter asks is not to be counted. And checkpoints, after which
	// each page is written into the WAL whole once, are not to fall into one
	// round and not into another.
	return m, m.exec(ctx,
		`SET log_statement = 'none'`,
		`ALTER SYSTEM SET max_wal_size = '16GB'`,
		`ALTER SYSTEM SET checkpoint_timeout = '1d'`,
		`SELECT pg_reload_conf()`)
}

func (m *meter) exec(ctx context.Context, statements ...string) error {
	for _, sql := range statements {
		if _, err := m.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// rows is what has been written, into tables, since the server began.
type rows struct{ written, updated, inPlace int64 }

func (a rows) since(b rows) rows {
	return rows{a.written - b.written, a.updated - b.updated, a.inPlace - b.inPlace}
}

// rowsWritten waits until nobody else is connected: a connection reports what it
// has done when it ends, and before that only now and then.
func (m *meter) rowsWritten(ctx context.Context) (r rows, err error) {
	for others := 1; others > 0; {
		err = m.admin.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`).Scan(&others)
		if err != nil {
			return r, err
		}
		time.Sleep(5 * time.Millisecond)
	}
	err = m.admin.QueryRow(ctx, `
		SELECT sum(n_tup_ins + n_tup_upd + n_tup_del), sum(n_tup_upd), sum(n_tup_hot_upd) FROM pg_stat_user_tables`).
		Scan(&r.written, &r.updated, &r.inPlace)
	return r, err
}

// wal is how many bytes have been written into the write-ahead log.
func (m *meter) wal(ctx context.Context) (bytes int64, err error) {
	err = m.admin.QueryRow(ctx, `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint`).Scan(&bytes)
	return bytes, err
}

// statements counts the statements that Postgres runs while f does. To log them
// slows everything down, so nothing is timed meanwhile.
func (m *meter) statements(ctx context.Context, f func() error) (int, error) {
	log := filepath.Join(m.dir, "postgres.log")
	before, err := os.Stat(log)
	if err != nil {
		return 0, err
	}
	if err := m.logStatements(ctx, "all"); err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	if err := m.logStatements(ctx, "none"); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return 0, err
	}
	text = text[before.Size():]
	return bytes.Count(text, []byte(" LOG:  execute ")) + bytes.Count(text, []byte(" LOG:  statement: ")), nil
}

func (m *meter) logStatements(ctx context.Context, which string) error {
	err := m.exec(ctx, `ALTER SYSTEM SET log_statement = '`+which+`'`, `SELECT pg_reload_conf()`)
	time.Sleep(200 * time.Millisecond) // each connection reads its settings between two statements
	return err
}

// cpu is the processors' time that a contestant and Postgres have used.
type cpu struct{ contestant, postgres time.Duration }

func (a cpu) since(b cpu) cpu { return cpu{a.contestant - b.contestant, a.postgres - b.postgres} }

// hasCPU says whether this system tells it as Linux does.
const hasCPU = runtime.GOOS == "linux"

func (m *meter) cpu(contestant int) (c cpu, err error) {
	if !hasCPU {
		return c, nil
	}
	own, _, err := processTime(contestant)
	if err != nil {
		return c, err
	}
	first, err := os.ReadFile(filepath.Join(m.dir, "data", "postmaster.pid"))
	if err != nil {
		return c, err
	}
	line, _, _ := strings.Cut(string(first), "\n")
	postmaster, err := strconv.Atoi(line)
	if err != nil {
		return c, err
	}
	self, ended, err := processTime(postmaster)
	if err != nil {
		return c, err
	}
	c = cpu{own, self + ended}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster))
	if err != nil {
		return c, err
	}
	for child := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			return c, err
		}
		own, _, err := processTime(pid)
		if err != nil {
			return c, fmt.Errorf("a connection ended while it was measured: %w", err)
		}
		c.postgres += own
	}
	return c, nil
}

// processTime reads the time that a process has used, and that its children
// had used when they ended.
func processTime(pid int) (self, ended time.Duration, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may have anything in it
	fields := strings.Fields(rest)
	var ticks [4]int64 // utime, stime, cutime, cstime: proc(5)
	for i := range ticks {
		if ticks[i], err = strconv.ParseInt(fields[11+i], 10, 64); err != nil {
			return 0, 0, err
		}
	}
	const tick = time.Second / 100 // USER_HZ, the same on every Linux that Go runs on
	return time.Duration(ticks[0]+ticks[1]) * tick, time.Duration(ticks[2]+ticks[3]) * tick, nil
}
