package chaos_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/postgres/pgtest"

	"github.com/redis/go-redis/v9"
)

// answersWithin is how soon every route answers, whatever is wrong; in the short
// form, on a machine that may be doing anything else meanwhile.
func answersWithin() time.Duration { return whole(2*time.Second, 4*time.Second) }

// hashing is what may come to it where passwords are hashed, one after the
// other.
const hashing = 15 * time.Second

// What is between the shop and a store breaks, in every way in which networks
// do. Each route answers soon, if only that the shop is down; nobody is taken
// for somebody, or for nobody, without a look at the store; and when it is over,
// everybody's ticket is good.

func TestLineToPostgresBreaks(t *testing.T) {
	breakLine(t, func(t *testing.T, database string) ([]string, []*proxy) {
		u, err := url.Parse(database)
		if err != nil {
			t.Fatal(err)
		}
		line := proxyTo(t, u.Host)
		u.Host = line.addr
		return []string{"DATABASE_URL=" + u.String()}, []*proxy{line}
	})
}

func TestLineToRedisBreaks(t *testing.T) {
	breakLine(t, func(t *testing.T, database string) ([]string, []*proxy) {
		line := proxyTo(t, servers.Redis(t).Addr)
		return []string{"DATABASE_URL=" + database, "SHOP_SESSION_STORE=redis", "REDIS_URL=redis://" + line.addr}, []*proxy{line}
	})
}

// The nodes of a cluster tell by which address they are to be found, so they
// tell that of the line.
func TestLinesToRedisClusterBreak(t *testing.T) {
	breakLine(t, func(t *testing.T, database string) ([]string, []*proxy) {
		var lines []*proxy
		var addresses []string
		for _, node := range servers.RedisCluster(t) {
			line := proxyTo(t, node.Addr)
			lines, addresses = append(lines, line), append(addresses, line.addr)
			_, port, _ := net.SplitHostPort(line.addr)
			client := redis.NewClient(&redis.Options{Addr: node.Addr})
			defer client.Close()
			if err := client.ConfigSet(t.Context(), "cluster-announce-port", port).Err(); err != nil {
				t.Fatal(err)
			}
		}
		for _, line := range lines {
			client := redis.NewClient(&redis.Options{Addr: line.addr})
			defer client.Close()
			until(t, "every node tells the addresses of the lines", func() bool {
				told, err := client.ClusterNodes(t.Context()).Result()
				return err == nil && !slices.ContainsFunc(addresses, func(a string) bool { return !strings.Contains(told, a+"@") })
			})
		}
		return []string{"DATABASE_URL=" + database, "SHOP_SESSION_STORE=redis", "REDIS_URL=redis://" + strings.Join(addresses, ",")}, lines
	})
}

func TestLinesToMemcachedBreak(t *testing.T) {
	breakLine(t, func(t *testing.T, database string) ([]string, []*proxy) {
		lines := []*proxy{proxyTo(t, servers.Memcached(t).Addr), proxyTo(t, servers.Memcached(t).Addr)}
		return []string{"DATABASE_URL=" + database, "SHOP_SESSION_STORE=memcached", "SHOP_MEMCACHED=" + lines[0].addr + "," + lines[1].addr}, lines
	})
}

// breakLine opens a shop whose store is at the other end of lines, and breaks
// them.
func breakLine(t *testing.T, open func(t *testing.T, database string) (settings []string, lines []*proxy)) {
	t.Helper()
	if !*long {
		t.Parallel()
	}
	b := openBooks(t, pgtest.EmptyURL(t), len(routes)+2)
	promote(t, b, address(theAdministrator))
	settings, lines := open(t, b.url)
	shop := process.Open(t, append(slices.Clone(unthrottled), settings...)...)
	o := &outages{t: t, shop: shop, asset: asset(t, shop.URL), people: crew(shop)}
	o.arrive()

	short := []fault{
		{name: "a reply that breaks off", breaks: true},
		{name: "a black hole", swallow: true},
		{name: "refusal", refuses: true},
		{name: "20 ms", delay: 20 * time.Millisecond},
	}
	for _, f := range whole(append(slices.Clone(short),
		fault{name: "a reply that breaks off into a black hole", breaks: true, swallow: true},
		fault{name: "300 ms", delay: 300 * time.Millisecond},
		fault{name: "3 s", delay: 3 * time.Second},
	), short) {
		o.have(f, lines)
	}
	t.Logf("figures: %d requests; %s", o.asked, strings.Join(o.figures, "; "))
}

func promote(t *testing.T, b *books, email string) {
	t.Helper()
	db := b.connect()
	defer db.Close()
	execute(t, db, `UPDATE users SET role = $2 WHERE email = $1`, email, auth.Administrator)
}

// Who has an account: a customer for each route, and
var (
	theAdministrator = len(routes)
	theOther         = len(routes) + 1
)

// crew is somebody of each kind for each route.
func crew(shop *process.Shop) (people []*person) {
	client := newClient()
	for i, r := range routes {
		for _, k := range []kind{newcomer, guest, customer, commander} {
			p := &person{kind: k, route: r, shop: shop.URL, client: client}
			p.form = strings.NewReplacer("OWN", address(i), "OTHER", address(theOther)).Replace(r.form)
			switch {
			case k == customer:
				p.name, p.email = name(i), address(i)
			case k == commander && !strings.HasPrefix(r.path, "/admin"):
				continue
			case k == commander:
				p.name, p.email = name(theAdministrator), address(theAdministrator)
			}
			people = append(people, p)
		}
	}
	return people
}

// outages is what happens to people while one fault comes after the other.
type outages struct {
	t       *testing.T
	shop    *process.Shop
	asset   string // address of a file
	people  []*person
	asked   int
	figures []string
}

// each lets everybody do something, so many at a time.
func (o *outages) each(atOnce int, do func(*person)) {
	var all sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for _, p := range o.people {
		turns <- struct{}{}
		all.Go(func() {
			do(p)
			<-turns
		})
	}
	all.Wait()
}

// arrive sees to it that everybody has a ticket that should. A customer signs
// in with what may be a new e-mail address.
func (o *outages) arrive() {
	o.t.Helper()
	o.each(4, func(p *person) {
		if p.ticket != "" {
			return
		}
		if err := p.arrive(); err != nil {
			o.t.Error(err)
		}
	})
	if o.t.Failed() {
		o.t.FailNow()
	}
}

// have lets the lines have a fault, while everybody asks, and then none.
func (o *outages) have(f fault, lines []*proxy) {
	o.t.Helper()
	for _, l := range lines {
		l.have(f)
	}
	var mu sync.Mutex
	var longest time.Duration
	statuses := map[int]int{}
	o.each(whole(50, 50), func(p *person) {
		a := p.ask(p.method, p.path, p.form)
		o.judge(f, p, a)
		mu.Lock()
		defer mu.Unlock()
		if !p.password {
			longest = max(longest, a.took)
		}
		statuses[a.status]++
		o.asked++
	})
	for _, path := range []string{"/healthz", o.asset} {
		if !opens(o.shop.URL + path) {
			o.t.Errorf("with %s, %s does not open", f.name, path)
		}
	}
	lifted := time.Now()
	for _, l := range lines {
		l.have(fault{})
	}
	again := o.recover(f, lifted)
	o.figures = append(o.figures, fmt.Sprintf("with %s all answered within %v, %d of %d with 503, everybody known again after %v",
		f.name, ms(longest), statuses[http.StatusServiceUnavailable], len(o.people), ms(again)))
}

// judge looks at one answer.
func (o *outages) judge(f fault, p *person, a answer) {
	wrong := func(format string, args ...any) {
		o.t.Errorf("with %s, %v: %s (%d, after %v)", f.name, p, fmt.Sprintf(format, args...), a.status, a.took)
	}
	within := answersWithin()
	if p.password && (p.ticket == "" || !f.total()) {
		within += hashing
	}
	down := a.status == http.StatusServiceUnavailable
	switch {
	case a.err != nil:
		wrong("no answer: %v", a.err)
		return
	case a.took > within:
		wrong("it took too long")
	case a.status >= 500 && !down:
		wrong("it is the shop's fault")
	case down && a.header.Get("Retry-After") == "":
		wrong("it does not say when to try again")
	case f.total() && p.ticket != "" && !down:
		wrong("the ticket was not looked up")
	}
	if whose := accountName(a.body); whose != "" && (whose != p.name || f.total()) {
		wrong("a page for %q", whose)
	}
	// Where all is merely slow, 503 may say that the patience ended when the
	// session had moved already. Then the ticket has to come, or nobody has it.
	mayMove := (!down || !f.total()) && (p.moves || p.kind == newcomer && p.path == "/cart/items")
	if len(a.tickets) > 0 && !mayMove {
		wrong("it sets the ticket to %q", a.tickets)
	}
	if p.moves && !f.total() {
		p.ticket = "" // whatever was answered, it may have been done
	}
}

// recover waits until everybody who has a ticket is known by it again, and says
// how long that took.
func (o *outages) recover(f fault, lifted time.Time) time.Duration {
	o.t.Helper()
	ctx, cancel := context.WithDeadline(o.t.Context(), lifted.Add(2*servesAgain))
	defer cancel()
	o.each(len(o.people), func(p *person) {
		for p.ticket != "" {
			known, err := p.known()
			if err != nil {
				o.t.Errorf("after %s: %v", f.name, err)
			}
			if known || err != nil {
				return
			}
			select {
			case <-ctx.Done():
				o.t.Errorf("after %s, %v is still not known after %v", f.name, p, time.Since(lifted))
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	took := time.Since(lifted)
	if took > servesAgain {
		o.t.Errorf("after %s it took %v until everybody was known", f.name, took)
	}
	o.arrive()
	return took
}
