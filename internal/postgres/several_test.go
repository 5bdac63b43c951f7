package postgres_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"
)

// several is a URL that names a server and then another.
func several(t *testing.T, address, host string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = host + "," + u.Host
	return with(t, u.String(), "target_session_attrs", "read-write")
}

// readOnly turns the test's database into one of a standby: it is read, and
// not written to.
func readOnly(t *testing.T, address string) {
	t.Helper()
	pool, err := postgres.Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	name := pool.Config().ConnConfig.Database
	if _, err := pool.Exec(t.Context(), `ALTER DATABASE `+name+` SET default_transaction_read_only = on`); err != nil {
		t.Fatal(err)
	}
}

func TestOfSeveralServersOneAnswers(t *testing.T) {
	t.Parallel()
	closed, silent, database := listen(t), listen(t), pgtest.URL(t)
	closed.Close()
	for _, other := range []string{closed.Addr().String(), silent.Addr().String()} {
		pool, err := postgres.Open(t.Context(), several(t, database, other), nil)
		if err != nil {
			t.Errorf("beside one that does not: %v", err)
			continue
		}
		pool.Close()
	}
}

// A server that has fallen silent must not take all the time that there is.
func TestEachOfSeveralServersHasLessTime(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	for address, want := range map[string]time.Duration{
		database:                            2 * time.Second,
		several(t, database, "127.0.0.1:1"): time.Second,
		with(t, several(t, database, "127.0.0.1:1"), "connect_timeout", "3"): 3 * time.Second,
	} {
		pool, err := postgres.Open(t.Context(), address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Config().ConnConfig.ConnectTimeout; got != want {
			t.Errorf("%s: %v, want %v", pool.Config().ConnConfig.Host, got, want)
		}
		pool.Close()
	}
}

func TestOfSeveralServersNoneMayLetTheShopWrite(t *testing.T) {
	t.Parallel()
	closed, standby := listen(t), pgtest.URL(t)
	closed.Close()
	readOnly(t, standby)
	_, err := postgres.Open(t.Context(), several(t, standby, closed.Addr().String()), nil)
	if err == nil {
		t.Fatal("the shop is content with a server that it may only read from")
	}
	checkMessage(t, err)
	for _, part := range []string{"lets the shop write", closed.Addr().String() + " or "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}

// A server may be turned into a standby while the shop is connected to it.
func TestToBeAskedToWriteIsTooMuchForAStandby(t *testing.T) {
	t.Parallel()
	standby := pgtest.URL(t)
	readOnly(t, standby)
	pool, err := postgres.Open(t.Context(), standby, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), `DELETE FROM sessions`); !postgres.Unavailable(err) {
		t.Errorf("the shop takes this for a fault of its own: %v", err)
	}
	if _, err := pool.Exec(t.Context(), `DELETE FROM nothing`); err == nil || postgres.Unavailable(err) {
		t.Errorf("the shop takes this for an outage: %v", err)
	}
}
