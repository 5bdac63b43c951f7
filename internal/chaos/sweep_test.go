package chaos_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A coat room in which ten tickets have run out for each that has not is swept
// by two at once while people look around. Nobody's session goes by mistake,
// and nobody notices.
func TestTwoSweepsOfManyExpiredSessionsHoldUpNobody(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	dead, live := whole(1_000_000, 20_000), whole(100_000, 2_000)
	b := openBooks(t, pgtest.EmptyURL(t), 10)
	db := b.connect()
	defer db.Close()
	// So lately that the shop, which sweeps as well, lets them lie.
	fileSessions(t, db, "dead", dead, "-20 minutes")
	fileSessions(t, db, "live", live, "1 hour")
	shop := process.Open(t, append(unthrottled, "DATABASE_URL="+b.url)...)
	v := invite(t, shop.URL, b, 10, whole(100, 50))
	execute(t, db, `CREATE TABLE living AS SELECT key, handle, user_id, cart_id, created_at, until FROM sessions WHERE handle NOT LIKE 'dead%'`)

	execute(t, db, `VACUUM ANALYZE sessions`)
	execute(t, db, `CHECKPOINT`) // so that what it took to file them is over

	calm := v.visitFor(whole(20*time.Second, 500*time.Millisecond))
	sweeping, swept := context.WithCancel(t.Context())
	defer swept()
	var both sync.WaitGroup
	var removed [2]int
	from := time.Now()
	for i := range removed {
		both.Go(func() {
			cmd := exec.CommandContext(t.Context(), process.Binary(t), "sessions", "sweep")
			cmd.Env = []string{"DATABASE_URL=" + b.url}
			out, err := cmd.CombinedOutput()
			if n, _ := fmt.Sscanf(strings.TrimPrefix(string(out), "sessions"), "%d removed", &removed[i]); err != nil || n != 1 {
				t.Errorf("a sweep: %v\n%s", err, out)
			}
		})
	}
	go func() {
		both.Wait()
		swept()
	}()
	beside := v.visit(sweeping)
	took := time.Since(from)

	if removed[0]+removed[1] != dead {
		t.Errorf("the sweeps say that they have removed %d and %d sessions; want %d", removed[0], removed[1], dead)
	}
	if *long && (removed[0] < dead/10 || removed[1] < dead/10) {
		t.Errorf("of %d sessions one sweep has removed %d and the other %d; they were not at work at once", dead, removed[0], removed[1])
	}
	if n := count(t, db, `SELECT count(*) FROM sessions WHERE handle LIKE 'dead%'`); n != 0 {
		t.Errorf("%d dead sessions are left", n)
	}
	lost := count(t, db, `SELECT count(*) FROM (SELECT * FROM living EXCEPT SELECT key, handle, user_id, cart_id, created_at, until FROM sessions) AS lost`)
	if n := count(t, db, `SELECT count(*) FROM living`); lost != 0 || n != live+len(v.members) {
		t.Errorf("of %d live sessions %d are lost or changed", n, lost)
	}
	if n := count(t, db, `SELECT count(DISTINCT session) FROM session_events WHERE kind = 'idle timeout'`); n != dead || n != count(t, db, `SELECT count(*) FROM session_events WHERE kind = 'idle timeout'`) {
		t.Errorf("of %d deaths %d are on record, or one of them twice", dead, n)
	}
	t.Logf("figures: two sweeps have removed %d + %d sessions beside %d live ones in %v, and lost %d; %d visitors a second, in calm %v; beside the sweeps %v",
		removed[0], removed[1], live, ms(took), lost, whole(100, 50), calm, beside)
	if *long {
		atMostDouble(t, calm, beside, "sweeps")
	}
}

// fileSessions files sessions of many users and guests, all with that deadline.
func fileSessions(t *testing.T, db *pgxpool.Pool, name string, n int, idle string) {
	t.Helper()
	execute(t, db, `
		INSERT INTO sessions (key, handle, user_id, created_at, idle_until, until)
		SELECT sha256(convert_to($1 || i, 'UTF8')), $1 || i, nullif(1000 + i % 50000, 1000), now() - interval '3 hours', now() + $3::interval, now() + interval '9 hours'
		FROM generate_series(1, $2) AS i`, name, n, idle)
}

func execute(t *testing.T, db *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *pgxpool.Pool, sql string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
