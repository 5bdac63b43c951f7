package memcachestore_test

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memcachestore"
)

// secondsLeft asks Memcached itself how long a key has.
func secondsLeft(t *testing.T, addr, key string) (left int, there bool) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "mg %s t\r\n", key)
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	n, _ := fmt.Sscanf(line, "HD t%d", &left)
	return left, n == 1
}

// To Memcached more than 30 days is a date, and a session that is kept for 30
// days has a key that is kept for longer.
func TestKeysExpireAnHourAfterTheirSessions(t *testing.T) {
	t.Parallel()
	ctx, addr := t.Context(), servers.Memcached(t).Addr
	st, err := memcachestore.New([]string{addr}, patience, "mine", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	const day = 24 * time.Hour
	now := time.Now()
	for i, last := range []time.Duration{time.Minute, 12 * time.Hour, 30*day - 2*time.Hour, 30*day - time.Hour, 30*day - time.Minute, 30 * day, 31 * day, 400 * day} {
		user := int64(i + 1)
		s := sessions.Session{Handle: "H", Refs: sessions.Refs{UserID: user}, CreatedAt: now, IdleUntil: now.Add(last), Until: now.Add(last)}
		if err := st.Create(ctx, sessions.Key{byte(user)}, s, sessions.Event{}); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Load(ctx, sessions.Key{byte(user)}); err != nil {
			t.Errorf("a session that lasts %v: %v", last, err)
		}
		left, there := secondsLeft(t, addr, fmt.Sprintf("mine:box:user:%d", user))
		want := int(time.Until(now.Add(last + time.Hour)).Seconds())
		if !there || left < want-3 || left > want+3 {
			t.Errorf("a session that lasts %v: its box has %d s left, want %d", last, left, want)
		}
	}
}
