package redisstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/redisstore"
	"coatcheck/internal/sessions/sessionstest"
)

// patience is for a machine that is busy with other tests.
const patience = 30 * time.Second

// open gives a store with a namespace of its own.
func open(t *testing.T, address string, record sessions.Recorder) *redisstore.Store {
	t.Helper()
	o, err := redisstore.Options(address, patience)
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

// What a request asks Redis can be watched, and opens nothing to who watches.
func TestTraceHearsCommandsWithoutWholeKeys(t *testing.T) {
	t.Parallel()
	var heard []string
	ctx := sessions.WithTrace(t.Context(), &sessions.Trace{Asked: func(_ context.Context, commands []sessions.Command, _ time.Duration, err error) {
		for _, c := range commands {
			heard = append(heard, fmt.Sprint(c.Text, " ", c.Found, " ", err))
		}
	}})
	st := open(t, "redis://"+servers.Redis(t).Addr, nil)
	now := time.Now()
	guest := sessions.Session{Handle: "G", CreatedAt: now, IdleUntil: now.Add(time.Minute), Until: now.Add(time.Hour)}
	alice := guest
	alice.UserID = 7
	if err := st.Create(ctx, sessions.Key{1}, guest, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	if err := st.Move(ctx, sessions.Key{1}, sessions.Key{2}, alice, sessions.Event{}); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(heard, "\n")
	for _, want := range []string{"SET … NX session:AQAAAA… 1 <nil>", "SET … NX box:guest:AQAAAA… 1 <nil>", "SET … NX box:user:7 1 <nil>", "EVALSHA compare-and-swap box:guest:AQAAAA… 1 <nil>", "GET box:user:7 0 <nil>"} {
		if !strings.Contains(all, want) {
			t.Errorf("nobody hears %q:\n%s", want, all)
		}
	}
	if strings.Contains(all, "AAAAAAA") {
		t.Errorf("a whole key can be heard:\n%s", all)
	}
}

func TestHistoryIsLinearizable(t *testing.T) {
	t.Parallel()
	sessionstest.History(t, open(t, "redis://"+servers.Redis(t).Addr, nil))
}

func TestHistoryIsLinearizableInACluster(t *testing.T) {
	t.Parallel()
	nodes := servers.RedisCluster(t)
	sessionstest.History(t, open(t, "redis://"+nodes[0].Addr+","+nodes[1].Addr, nil))
}
