// Package stores_test finds out what each of the session stores keeps, and
// what it loses, by doing to it what the world does: starting the shop anew,
// pulling the store's plug, filling it up. What comes of it is the table in
// the README.
package stores_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memcachestore"
	"coatcheck/internal/sessions/memstore"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/sessions/redisstore"

	"github.com/bradfitz/gomemcache/memcache"
)

// patience is for a machine that is busy with other tests.
const patience = 30 * time.Second

var update = flag.Bool("update", false, "write the table into the README")

// place is somewhere to keep sessions.
type place struct {
	// shop gives the store as one server of the shop has it. Another call is
	// another server, or the same one after a restart.
	shop func() sessions.Store
	// crash ends the store's own server like a power cut, and starts it again.
	// It is nil if there is none beside the shop.
	crash func()
	// forgetList drops what lists everybody's sessions, which a server that is
	// short of room may do by itself. It is nil if there is no such thing.
	forgetList func()
}

func postgresPlace(t *testing.T) place {
	server := servers.Postgres(t)
	migrate := sync.OnceFunc(func() {
		db, err := postgres.Open(t.Context(), server.URL, nil)
		if err == nil {
			_, err = postgres.Migrate(t.Context(), db)
			db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return place{
		shop: func() sessions.Store {
			migrate()
			db, err := postgres.Open(t.Context(), server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(db.Close)
			return pgstore.New(db)
		},
		crash: func() { server.Kill(); server.Start() },
	}
}

func redisPlace(t *testing.T, options ...string) place {
	server := servers.Redis(t, options...)
	return redisAt(t, server.Addr, func() { server.Kill(); server.Start() })
}

func clusterPlace(t *testing.T, options ...string) place {
	nodes := servers.RedisCluster(t, options...)
	return redisAt(t, nodes[0].Addr+","+nodes[1].Addr, func() { nodes[0].Kill(); nodes[0].Start() })
}

func redisAt(t *testing.T, address string, crash func()) place {
	o, err := redisstore.Options("redis://"+address, patience)
	if err != nil {
		t.Fatal(err)
	}
	return place{
		shop: func() sessions.Store {
			st := redisstore.New(o, "stores", nil)
			t.Cleanup(func() { st.Close() })
			return st
		},
		crash: crash,
	}
}

func memcachedPlace(t *testing.T, options ...string) place {
	server := servers.Memcached(t, options...)
	return place{
		shop: func() sessions.Store {
			st, err := memcachestore.New([]string{server.Addr}, patience, "stores", nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { st.Close() })
			return st
		},
		crash: func() { server.Kill(); server.Start() },
		forgetList: func() {
			client := memcache.New(server.Addr)
			defer client.Close()
			for i := range 256 {
				if err := client.Delete(fmt.Sprintf("stores:list:%d", i)); err != nil && !errors.Is(err, memcache.ErrCacheMiss) {
					t.Fatal(err)
				}
			}
		},
	}
}

func memoryPlace(*testing.T) place {
	return place{shop: func() sessions.Store { return memstore.New(2000, nil) }}
}

// column is a store of the table.
type column struct {
	name string
	open func(t *testing.T) place
	// safe runs it so that each change is on disk before it answers, if it has
	// to be told to.
	safe func(t *testing.T) place
	// small runs it with little room, so that it forgets what is old, and
	// refusing so that it refuses what is new, if it can be told to.
	small, refusing func(t *testing.T) place
}

var columns = []column{
	{name: "Postgres", open: postgresPlace},
	{
		name: "Redis", open: func(t *testing.T) place { return redisPlace(t) },
		safe: func(t *testing.T) place { return redisPlace(t, "--appendonly", "yes", "--appendfsync", "always") },
		small: func(t *testing.T) place {
			return redisPlace(t, "--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru")
		},
		refusing: func(t *testing.T) place { return redisPlace(t, "--maxmemory", "3mb") },
	},
	{name: "Redis Cluster", open: func(t *testing.T) place { return clusterPlace(t) }},
	{
		name: "Memcached", open: func(t *testing.T) place { return memcachedPlace(t) },
		small:    func(t *testing.T) place { return memcachedPlace(t, "-m", "2") },
		refusing: func(t *testing.T) place { return memcachedPlace(t, "-m", "2", "-M") },
	},
	{name: "memory", open: memoryPlace, refusing: memoryPlace},
}

// rows are the questions. They are put to an empty place, one after the other.
var rows = []struct {
	question string
	answer   func(t *testing.T, c column, p place) string
}{
	{"the shop is started anew", afterRestart},
	{"the store's server crashes", afterCrash},
	{"several servers of the shop", several},
	{"an end is known to all of them", endKnown},
	{"“your sessions”", yourSessions},
	{"everybody's sessions", everybodys},
	{"ending everybody's", endingEverybodys},
	{"what has expired", expired},
	{"when it is full", full},
}

func TestTableOfStoresSaysWhatTheyDo(t *testing.T) {
	cells := make([][]string, len(rows))
	for i := range rows {
		cells[i] = make([]string, len(columns))
	}
	t.Run("find out", func(t *testing.T) {
		for j, c := range columns {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				p := c.open(t)
				for i, row := range rows {
					if _, err := p.shop().DeleteAll(t.Context(), sessions.Key{}, sessions.Event{}); err != nil {
						t.Fatal(err)
					}
					cells[i][j] = row.answer(t, c, p)
				}
			})
		}
	})
	var table strings.Builder
	line := func(cells ...string) { fmt.Fprintf(&table, "| %s |\n", strings.Join(cells, " | ")) }
	head, rule := []string{""}, []string{"---"}
	for _, c := range columns {
		head, rule = append(head, c.name), append(rule, "---")
	}
	line(head...)
	line(rule...)
	for i, row := range rows {
		line(append([]string{row.question}, cells[i]...)...)
	}
	const file, begin, end = "../../../README.md", "<!-- what stores do: made by go test ./internal/e2e/stores -update -->\n", "<!-- end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	written, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("the README has no place for this table:\n%s", &table)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if written != table.String() {
		t.Errorf("the README says\n%sbut it is\n%s-update writes it", written, &table)
	}
}

var now = time.Now().UTC().Truncate(time.Microsecond)

// file puts a session of a user into a store.
func file(ctx context.Context, st sessions.Store, k sessions.Key, userID int64) error {
	return st.Create(ctx, k, sessions.Session{
		Handle: rand.Text()[:12], Refs: sessions.Refs{UserID: userID},
		CreatedAt: now, IdleUntil: now.Add(30 * time.Minute), Until: now.Add(12 * time.Hour),
	}, sessions.Event{})
}

// known reports whether a store knows the session under a key.
func known(t *testing.T, st sessions.Store, k sessions.Key) bool {
	t.Helper()
	_, err := st.Load(t.Context(), k)
	if err != nil && !errors.Is(err, sessions.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// some makes new keys, which lie in all parts of a store.
func some(n int) []sessions.Key {
	keys := make([]sessions.Key, n)
	for i := range keys {
		rand.Read(keys[i][:])
	}
	return keys
}

// fileAll files a session for each key, every other one a guest's.
func fileAll(t *testing.T, st sessions.Store, keys []sessions.Key) {
	t.Helper()
	for i, k := range keys {
		if err := file(t.Context(), st, k, int64(i%2*(i+2))); err != nil {
			t.Fatal(err)
		}
	}
}

// left says how many of the sessions a store knows: all, some or none.
func left(t *testing.T, st sessions.Store, keys []sessions.Key) string {
	t.Helper()
	n := 0
	for _, k := range keys {
		if known(t, st, k) {
			n++
		}
	}
	switch n {
	case len(keys):
		return goOn
	case 0:
		return signedOut
	}
	return someOut
}

const (
	signedOut = "all are signed out"
	someOut   = "some are signed out"
	goOn      = "sessions go on"
)

func afterRestart(t *testing.T, _ column, p place) string {
	keys := some(30)
	fileAll(t, p.shop(), keys)
	return left(t, p.shop(), keys)
}

func afterCrash(t *testing.T, c column, p place) string {
	if p.crash == nil {
		return "there is none but the shop"
	}
	what := crash(t, p)
	if c.safe != nil && what != goOn && crash(t, c.safe(t)) == goOn {
		return what + "; with `appendonly yes` and `appendfsync always` they go on"
	}
	return what
}

func crash(t *testing.T, p place) string {
	keys := some(30)
	fileAll(t, p.shop(), keys)
	p.crash()
	st := p.shop()
	for start := time.Now(); !answers(t, st, keys); { // a cluster has to find itself again
		if time.Since(start) > time.Minute {
			t.Fatal("the store does not come back")
		}
	}
	return left(t, st, keys)
}

// answers reports whether a store can say of each key whether it knows it.
func answers(t *testing.T, st sessions.Store, keys []sessions.Key) bool {
	t.Helper()
	for _, k := range keys {
		if _, err := st.Load(t.Context(), k); errors.Is(err, sessions.ErrUnavailable) {
			return false
		}
	}
	return true
}

func several(t *testing.T, _ column, p place) string {
	here, there, keys := p.shop(), p.shop(), some(30)
	fileAll(t, here, keys)
	if left(t, there, keys) == goOn {
		return "share the sessions"
	}
	return "have their own"
}

func endKnown(t *testing.T, _ column, p place) string {
	here, there, keys := p.shop(), p.shop(), some(30)
	fileAll(t, here, keys)
	if left(t, there, keys) == signedOut {
		return "they know nothing of it"
	}
	for _, k := range keys {
		if err := here.Delete(t.Context(), k, sessions.Event{}); err != nil {
			t.Fatal(err)
		}
		if known(t, there, k) {
			return "not at once"
		}
	}
	return "at the next request"
}

func yourSessions(t *testing.T, _ column, p place) string {
	st := p.shop()
	for _, k := range some(3) {
		if err := file(t.Context(), st, k, 1); err != nil {
			t.Fatal(err)
		}
	}
	list, err := st.ByUser(t.Context(), 1)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d sessions are listed, %v; want 3", len(list), err)
	}
	return "are listed"
}
