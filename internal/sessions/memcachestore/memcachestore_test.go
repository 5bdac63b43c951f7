package memcachestore_test

import (
	"crypto/rand"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memcachestore"
	"coatcheck/internal/sessions/sessionstest"
)

// patience is for a machine that is busy with other tests.
const patience = 30 * time.Second

// open gives a store with a namespace of its own.
func open(t *testing.T, record sessions.Recorder, servers ...string) *memcachestore.Store {
	t.Helper()
	st, err := memcachestore.New(servers, patience, rand.Text(), record)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	server := servers.Memcached(t)
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return open(t, nil, server.Addr) })
}

func TestStoreKeepsTheContractOnThreeServers(t *testing.T) {
	t.Parallel()
	a, b, c := servers.Memcached(t), servers.Memcached(t), servers.Memcached(t)
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return open(t, nil, a.Addr, b.Addr, c.Addr) })
}

func TestRecord(t *testing.T) {
	t.Parallel()
	server := servers.Memcached(t)
	sessionstest.Record(t, func(t *testing.T) (sessions.Store, func() []sessions.Event) {
		record, taken := sessionstest.Recording()
		return open(t, record, server.Addr), taken
	})
}

func TestHistoryIsLinearizable(t *testing.T) {
	t.Parallel()
	sessionstest.History(t, open(t, nil, servers.Memcached(t).Addr, servers.Memcached(t).Addr, servers.Memcached(t).Addr))
}
