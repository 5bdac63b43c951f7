package scale_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/memcachestore"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/sessions/redisstore"
	"coatcheck/internal/story"

	"github.com/jackc/pgx/v5/pgxpool"
)

// shared are the stores that several servers can share.
var shared = []struct {
	name string
	// start starts what the store needs besides Postgres, and gives the settings
	// by which shops find it.
	start func(*testing.T) (settings []string)
	// enter lets the test into the store.
	enter func(t *testing.T, db *pgxpool.Pool, settings []string) sessions.Store
}{
	{"postgres",
		func(t *testing.T) []string { return nil },
		func(_ *testing.T, db *pgxpool.Pool, _ []string) sessions.Store { return pgstore.New(db) }},
	{"redis",
		func(t *testing.T) []string { return inRedis(servers.Redis(t)) }, enterRedis},
	{"redis cluster",
		func(t *testing.T) []string { return inRedis(servers.RedisCluster(t)...) }, enterRedis},
	{"memcached",
		func(t *testing.T) []string {
			return []string{"SHOP_SESSION_STORE=memcached", "SHOP_MEMCACHED=" + servers.Memcached(t).Addr + "," + servers.Memcached(t).Addr}
		},
		enterMemcached},
}

func inRedis(nodes ...*servers.Server) []string {
	var addrs []string
	for _, n := range nodes {
		addrs = append(addrs, n.Addr)
	}
	return []string{"SHOP_SESSION_STORE=redis", "REDIS_URL=redis://" + strings.Join(addrs, ",")}
}

// namespace is the setting's default.
const namespace = "coatcheck"

func enterRedis(t *testing.T, _ *pgxpool.Pool, settings []string) sessions.Store {
	t.Helper()
	options, err := redisstore.Options(value(settings, "REDIS_URL"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	st := redisstore.New(options, namespace, nil)
	t.Cleanup(func() { st.Close() })
	return st
}

func enterMemcached(t *testing.T, _ *pgxpool.Pool, settings []string) sessions.Store {
	t.Helper()
	list, err := memcachestore.Servers(value(settings, "SHOP_MEMCACHED"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := memcachestore.New(list, time.Minute, namespace, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

func value(settings []string, name string) string {
	for _, s := range settings {
		if v, ok := strings.CutPrefix(s, name+"="); ok {
			return v
		}
	}
	return ""
}

// Whichever of three servers answers, it is the same shop, as long as they
// share one store.
func TestThreeServersAreOneShop(t *testing.T) {
	t.Parallel()
	for _, s := range shared {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, database(t), s.start(t)...)
			url := f.balance("")
			t.Run("Alice's story lands on all", func(t *testing.T) { tellAlicesStory(t, f, url) })
			t.Run("a sign-out on one is a sign-out on all", func(t *testing.T) { signOutElsewhere(t, f) })
			t.Run("nobody can forge an address", func(t *testing.T) { forgeAnAddress(t, f, url) })
			t.Run("a rolling restart loses nothing", func(t *testing.T) { restartOneByOne(t, f, url) })
		})
	}
}

// Alice's story comes out as it is told, though each of its requests is
// answered by another server than the one before, and one of them is killed.
func tellAlicesStory(t *testing.T, f *fleet, url string) {
	w := visit(t, url).way
	balancer := story.Place{Name: "the load balancer", URL: url, Way: w}
	told, err := story.Play(t.Context(), &story.Alice, &story.World{
		Servers: []story.Place{balancer, balancer},
		Restart: func(context.Context) error {
			f.shops[0].Kill()
			for range f.shops { // before the load balancer can have noticed
				if p := visit(t, url).get("/"); p.status != http.StatusOK {
					t.Errorf("while one of three is dead, the others say %d", p.status)
				}
			}
			f.shops[0].Start()
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range told.Played {
		for _, o := range p.Outcomes {
			if !o.Held {
				t.Errorf("step %d, %s: %s; %s", p.Number, p.Slug, o.Want, o.Got)
			}
		}
	}
	if len(told.Played) != len(story.Alice.Steps) {
		t.Errorf("it ends after step %d: %s", len(told.Played), told.Stopped)
	}
	if len(w.served) != len(f.shops) {
		t.Errorf("it was answered by %v", w.served)
	}
}

// Whichever server Alice signs out on, the next request finds her signed out,
// whichever server it is for.
func signOutElsewhere(t *testing.T, f *fleet) {
	for i := range f.shops {
		alice, thief := visit(t, f.shops[i].URL), visit(t, f.shops[i].URL)
		alice.signIn("Alice").is(t, "Alice", "0")
		thief.carry(alice.ticket())
		for _, shop := range f.shops {
			thief.at(shop.URL).get("/account").is(t, "Alice", "0")
		}
		alice.at(f.shops[(i+1)%len(f.shops)].URL).post("/logout").is(t, "", "0")
		for _, shop := range f.shops {
			if p := thief.at(shop.URL).get("/account"); p.path != "/login?next=%2Faccount" || p.name() != "" {
				t.Errorf("a copy of the ticket leads to %s, signed in as %q", p.path, p.name())
			}
		}
	}
}

// What the load balancer says of a visitor's address is believed, and what the
// visitor says is not.
func forgeAnAddress(t *testing.T, f *fleet, url string) {
	v := visit(t, url)
	v.way.forge = "203.0.113.7"
	want := "address=\"\"\n" // the visitor has the load balancer's own, which is no visitor's
	if runtime.GOOS == "linux" {
		// Here all addresses that begin with 127 are this machine's.
		v.way.transport.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 7)}}).DialContext
		want = "address=127.0.0.7\n"
	}
	shop := f.called(v.get("/products/forged").server)
	shop.WaitFor("path=/products/forged")
	for line := range strings.Lines(shop.Output()) {
		if strings.Contains(line, "path=/products/forged") && !strings.Contains(line, want) {
			t.Errorf("want %s, and the log says %s", want, line)
		}
	}
}

// When the same hour strikes for three servers, each session that is over is
// cleared away by one of them.
func TestSweepsOfSeveralServersDoNotCollide(t *testing.T) {
	t.Parallel()
	for _, s := range shared {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			database := database(t)
			db := connect(t, database)
			furnish(t, db)
			settings := append(s.start(t), "DATABASE_URL="+database)
			const over, live = 240, 20
			kept := file(t, s.enter(t, db, settings), over, live)

			outs := make([]string, 3)
			var sweeps sync.WaitGroup
			for i := range outs {
				sweeps.Go(func() {
					var code int
					if code, outs[i] = process.Run(t, settings, "sessions", "sweep"); code != 0 {
						t.Errorf("a sweep fails with code %d:\n%s", code, outs[i])
					}
				})
			}
			sweeps.Wait()
			var removed int
			for _, out := range outs {
				if found := regexp.MustCompile(`sessions +(\d+) removed`).FindStringSubmatch(out); found != nil {
					n, _ := strconv.Atoi(found[1])
					removed += n
				}
			}
			if removed != over {
				t.Errorf("of %d sessions that are over, %d were removed:\n%s", over, removed, strings.Join(outs, ""))
			}
			var ends, of int
			if err := db.QueryRow(t.Context(), `
				SELECT count(*), count(DISTINCT session) FROM session_events WHERE kind = $1`, sessions.IdledOut).Scan(&ends, &of); err != nil {
				t.Fatal(err)
			}
			if ends != over || of != over {
				t.Errorf("%d ends of %d sessions are on record; want one of each of %d", ends, of, over)
			}
			again := s.enter(t, db, settings)
			for _, k := range kept {
				if _, err := again.Load(t.Context(), k); err != nil {
					t.Errorf("a session that is not over: %v", err)
				}
			}
		})
	}
}

// file files sessions, half of them guests' and half of three users, of which
// some are over, and gives the keys of the others.
func file(t *testing.T, st sessions.Store, over, live int) (kept []sessions.Key) {
	t.Helper()
	now := time.Now()
	for i := range over + live {
		var k sessions.Key
		rand.Read(k[:])
		s := sessions.Session{Handle: fmt.Sprint("of a test ", i), CreatedAt: now.Add(-time.Hour), IdleUntil: now.Add(-time.Minute), Until: now.Add(time.Hour)}
		if i >= over {
			s.IdleUntil = now.Add(time.Hour)
			kept = append(kept, k)
		}
		if i%2 == 0 {
			s.UserID = 1 + int64(i)%3 // one of the demo's
		}
		if err := st.Create(t.Context(), k, s, sessions.Event{At: s.CreatedAt, Kind: sessions.Made}); err != nil {
			t.Fatal(err)
		}
	}
	return kept
}
