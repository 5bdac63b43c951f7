package servers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// tell gives a Redis a command, and says what it answers.
func tell(t testing.TB, addr string, command ...any) string {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	answer, err := client.Do(context.Background(), command...).Result()
	if err != nil {
		t.Fatalf("redis at %s: %v: %v", addr, command, err)
	}
	return fmt.Sprint(answer)
}

// Redis starts a Redis that keeps nothing on disk, unless options such as
// "--appendonly", "yes" say otherwise.
func Redis(t testing.TB, options ...string) *Server {
	t.Helper()
	addr := freeAddr(t)
	args := []string{"redis-server", "--bind", "127.0.0.1", "--port", port(addr), "--dir", t.TempDir(), "--save", ""}
	return start(t, addr, append(args, options...)...)
}

// RedisCluster starts a cluster of three masters.
func RedisCluster(t testing.TB, options ...string) []*Server {
	t.Helper()
	const slots = 16384
	var nodes []*Server
	for i := range 3 {
		bus := port(freeAddr(t)) // where nodes talk to each other
		n := Redis(t, slices.Concat(options, []string{"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "5000"})...)
		nodes = append(nodes, n)
		tell(t, n.Addr, "cluster", "addslotsrange", i*slots/3, (i+1)*slots/3-1)
		tell(t, n.Addr, "cluster", "set-config-epoch", i+1)
		tell(t, nodes[0].Addr, "cluster", "meet", "127.0.0.1", port(n.Addr), bus)
	}
	for _, n := range nodes {
		n.until("is part of a cluster", func() bool {
			info := tell(t, n.Addr, "cluster", "info")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3")
		})
	}
	return nodes
}

// Sentinels are three that watch over a master with one replica.
type Sentinels struct {
	Addrs           []string
	Name            string // of the master, to the sentinels
	Master, Replica *Server
}

// RedisSentinels starts a master, a replica and three sentinels, of which two
// must agree that a master is gone.
func RedisSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{Name: "coats", Master: Redis(t)}
	s.Replica = Redis(t, "--replicaof", "127.0.0.1", port(s.Master.Addr), "--repl-diskless-sync-delay", "0")
	s.Replica.until("follows its master", func() bool {
		return strings.Contains(tell(t, s.Replica.Addr, "info", "replication"), "master_link_status:up")
	})
	for range 3 {
		addr := freeAddr(t)
		conf := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor %s 127.0.0.1 %s 2\nsentinel down-after-milliseconds %s 500\nsentinel failover-timeout %s 3000\n",
			port(addr), s.Name, port(s.Master.Addr), s.Name, s.Name)
		sentinel := start(t, addr, "redis-server", write(t, conf), "--sentinel")
		s.Addrs = append(s.Addrs, addr)
		sentinel.until("knows the replica", func() bool {
			return strings.Contains(tell(t, addr, "sentinel", "replicas", s.Name), port(s.Replica.Addr))
		})
	}
	return s
}
