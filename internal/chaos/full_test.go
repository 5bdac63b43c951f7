package chaos_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/postgres/pgtest"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/redis/go-redis/v9"
)

// What keeps the sessions is full: because there are so many of them, or
// because others have filled the same server. Who comes then is told to try
// again, or signs in; who is there stays, or signs in anew, if the server
// forgets what it has no room for. Nobody is anybody else.

func TestRedisThatRefusesIsFull(t *testing.T) {
	redisIsFull(t, "noeviction", false)
}

func TestRedisThatEvictsIsFull(t *testing.T) {
	redisIsFull(t, "allkeys-lru", true)
}

func redisIsFull(t *testing.T, policy string, forgets bool) {
	server := servers.Redis(t, "--maxmemory", "4mb", "--maxmemory-policy", policy)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	fillUp(t, forgets, []string{"SHOP_SESSION_STORE=redis", "REDIS_URL=redis://" + server.Addr}, whole(20_000, 3000), func(i int) error {
		return client.Set(t.Context(), fmt.Sprintf("others:%d", i), strings.Repeat("x", 2000-i%20*99), 0).Err()
	})
}

func TestMemcachedThatEvictsIsFull(t *testing.T) {
	memcachedIsFull(t, true)
}

func TestMemcachedThatRefusesIsFull(t *testing.T) {
	memcachedIsFull(t, false, "-M")
}

func memcachedIsFull(t *testing.T, forgets bool, options ...string) {
	server := servers.Memcached(t, append(options, "-m", "2")...)
	client := memcache.New(server.Addr)
	defer client.Close()
	fillUp(t, forgets, []string{"SHOP_SESSION_STORE=memcached", "SHOP_MEMCACHED=" + server.Addr}, whole(200_000, 30_000), func(i int) error {
		// Of the sizes that sessions have, and what leads to them, because
		// Memcached gives each size a room of its own.
		size := 50 + i%50
		if i%2 == 0 {
			size = 140 + i/2%120
		}
		return client.Set(&memcache.Item{Key: fmt.Sprintf("others:%d", i), Value: make([]byte, size)})
	})
}

// fillUp fills a store, first with the sessions of guests, then with the keys
// of others as well, and looks again and again at what becomes of everybody.
func fillUp(t *testing.T, forgets bool, settings []string, keys int, put func(i int) error) {
	t.Helper()
	if !*long {
		t.Parallel()
	}
	members, guests := whole(40, 8), whole(20_000, 200)
	b := openBooks(t, pgtest.EmptyURL(t), members)
	shop := process.Open(t, append(append([]string{"DATABASE_URL=" + b.url}, unthrottled...), settings...)...)
	h := &house{t: t}
	for i := range members {
		p := &person{kind: customer, shop: shop.URL, name: name(i), email: address(i), client: newClient()}
		if err := p.arrive(); err != nil {
			t.Fatalf("%v\n%s", err, shop.Output())
		}
		h.people = append(h.people, p)
	}
	h.look(h.people)
	if h.signedIn != members {
		t.Fatalf("of %d members %d are signed in before the store is full", members, h.signedIn)
	}

	h.guests(shop, guests)
	h.look(h.people)
	// A server that forgets decides for itself what, and by how long ago it was
	// asked for; one that refuses may find some room again, for instance in what
	// idle connections took. So it is filled until it shows, each round for twice
	// as long as the one before.
	refused, filled := 0, 0
	var refusal error // the last
	for round := 0; round < 6; round++ {
		for i := range keys << round {
			if err := put(filled); err != nil {
				refused, refusal = refused+1, err
			}
			filled++
			if i%(keys/4) == 0 { // half of them come often
				h.look(h.people[:members/2])
			}
		}
		h.look(h.people)
		h.guests(shop, guests/10)
		h.look(h.people)
		if forgets && h.out > 0 || !forgets && h.down > 0 {
			break
		}
	}
	// Even a Memcached that evicts refuses a key now and then, about one in a
	// million, when those that it would evict are in use at that moment.
	if refuses := refused > filled/100; refuses == forgets || forgets && h.out == 0 || !forgets && h.down == 0 {
		t.Errorf("the store is not full, or not in the way it should be: it has refused %d of %d keys of others (at last with %v) and %d requests of ours, and forgotten %d members", refused, filled, refusal, h.down, h.out)
	}
	if !forgets && h.out > 0 {
		t.Errorf("a store that refuses has forgotten %d", h.out)
	}
	t.Logf("figures: %d requests to a shop whose store is full; %d of %d keys of others refused; of the guests and members who came %d were answered with 503, and %d had to sign in anew; %d pages for who had the ticket, 0 for anybody else",
		h.asked, refused, filled, h.down, h.out, h.signedIn)
}

// house counts what becomes of people in a shop whose store is full.
type house struct {
	t      *testing.T
	people []*person

	mu                         sync.Mutex
	asked, down, out, signedIn int
}

// guests come, each of whom has a cart, and so a session.
func (h *house) guests(shop *process.Shop, n int) {
	h.t.Helper()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			g := &person{kind: guest, shop: shop.URL, client: newClient()}
			for range n / 4 {
				h.judge(g, g.ask("POST", "/cart/items", "product=camel-overcoat&quantity=1"))
			}
		})
	}
	all.Wait()
}

// look lets members look at their accounts, and who has been forgotten sign in
// anew.
func (h *house) look(people []*person) {
	h.t.Helper()
	for _, p := range people {
		a := p.ask("GET", "/account", "")
		h.judge(p, a)
		if a.status != http.StatusSeeOther && p.ticket != "" {
			continue
		}
		p.ticket = ""
		again := p.ask("POST", "/login", "email="+p.email+"&password="+password)
		h.judge(p, again)
		if again.status == http.StatusSeeOther && len(again.tickets) == 1 {
			p.ticket = again.tickets[0]
		}
	}
}

// judge looks at an answer: a page for the owner of the ticket, or for nobody,
// or 503.
func (h *house) judge(p *person, a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	whose := accountName(a.body)
	switch {
	case a.err != nil, a.status >= 400 && a.status != http.StatusServiceUnavailable, whose != "" && (whose != p.name || p.ticket == ""):
		h.t.Errorf("a %s %s is answered with %d and a page for %q, %v", p.name, p.email, a.status, whose, a.err)
	case a.status == http.StatusServiceUnavailable:
		h.down++
		if len(a.tickets) > 0 {
			h.t.Errorf("503 sets the ticket of %s to %q", p.name, a.tickets)
		}
	case p.ticket != "" && a.status == http.StatusSeeOther:
		h.out++
	case whose != "":
		h.signedIn++
	}
}
