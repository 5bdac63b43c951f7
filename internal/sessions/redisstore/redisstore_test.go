package redisstore_test

import (
	"crypto/rand"
	"testing"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/redisstore"
	"coatcheck/internal/sessions/sessionstest"
)

// open gives a store with a namespace of its own.
func open(t *testing.T, address string, record sessions.Recorder) *redisstore.Store {
	t.Helper()
	o, err := redisstore.Options(address)
	if err != nil {
		t.Fatal(err)
	}
	st := redisstore.New(o, rand.Text(), record)
	t.Cleanup(func() { st.Close() })
	return st
}

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	server := servers.Redis(t)
	sessionstest.Run(t, func(t *testing.T) sessions.Store { return open(t, "redis://"+server.Addr, nil) })
}

func TestStoreKeepsTheContractInACluster(t *testing.T) {
	t.Parallel()
	nodes := servers.RedisCluster(t)
	sessionstest.Run(t, func(t *testing.T) sessions.Store {
		return open(t, "redis://"+nodes[0].Addr+","+nodes[1].Addr, nil)
	})
}

func TestStoreKeepsTheContractUnderSentinels(t *testing.T) {
	t.Parallel()
	s := servers.RedisSentinels(t)
	sessionstest.Run(t, func(t *testing.T) sessions.Store {
		return open(t, "redis+sentinel://"+s.Addrs[0]+","+s.Addrs[1]+"/"+s.Name, nil)
	})
}

func TestRecord(t *testing.T) {
	t.Parallel()
	server := servers.Redis(t)
	sessionstest.Record(t, func(t *testing.T) (sessions.Store, func() []sessions.Event) {
		record, taken := sessionstest.Recording()
		return open(t, "redis://"+server.Addr, record), taken
	})
}
