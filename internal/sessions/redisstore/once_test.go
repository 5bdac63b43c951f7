package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/redisstore"

	"github.com/redis/go-redis/v9"
)

// A cluster whose nodes are too busy to answer carries a command out later. Had
// the client sent it again by then, it would do so twice, and what was ended in
// between would be back.
func TestCommandWithoutAnAnswerIsNotSentAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	var addresses []string
	var nodes []*redis.Client
	for _, n := range servers.RedisCluster(t, "--enable-debug-command", "yes") {
		addresses = append(addresses, n.Addr)
		node := redis.NewClient(&redis.Options{Addr: n.Addr, ReadTimeout: time.Minute, MaxRetries: -1})
		t.Cleanup(func() { node.Close() })
		nodes = append(nodes, node)
	}
	o, err := redisstore.Options(strings.Join(addresses, ","), patience)
	if err != nil {
		t.Fatal(err)
	}
	o.ReadTimeout = 200 * time.Millisecond
	st := redisstore.New(o, "once", nil)
	t.Cleanup(func() { st.Close() })
	now := time.Now()
	s := sessions.Session{Handle: "H", CreatedAt: now, IdleUntil: now.Add(time.Minute), Until: now.Add(time.Hour)}
	// It gets to know the nodes, with several connections to each, over which a
	// second attempt could go.
	var many sync.WaitGroup
	for i := range byte(100) {
		many.Go(func() {
			_ = st.Create(ctx, sessions.Key{i, 1}, s, sessions.Event{}) // it is about the connections
		})
	}
	many.Wait()
	sets := func() (n int) {
		for _, node := range nodes {
			var calls int
			_, after, _ := strings.Cut(node.Info(ctx, "commandstats").Val(), "cmdstat_set:calls=")
			fmt.Sscanf(after, "%d", &calls)
			n += calls
		}
		return n
	}
	before := sets()

	var asleep sync.WaitGroup
	for _, node := range nodes {
		asleep.Go(func() { node.Do(ctx, "DEBUG", "SLEEP", "1.5") })
		for busy := false; !busy; {
			soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			conn := node.WithTimeout(20 * time.Millisecond)
			busy = conn.Ping(soon).Err() != nil
			cancel()
		}
	}
	if err := st.Create(ctx, sessions.Key{2}, s, sessions.Event{}); !errors.Is(err, sessions.ErrUnavailable) {
		t.Errorf("Create, while nobody answers: %v", err)
	}
	asleep.Wait()
	if n := sets() - before; n > 1 {
		t.Errorf("the command that had no answer was carried out %d times", n)
	}
}
