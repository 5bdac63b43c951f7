package chaos_test

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A crowd shops at one address until it is told to leave: everybody fills a
// cart, checks out, looks at the order, and begins anew. They are people of
// patience. Whoever is told that the shop is down, or gets no answer, asks
// again, and sends the same form again; so when the crowd has left, each of
// its orders was acknowledged, and it knows what must be in the database.
type crowd struct {
	t        *testing.T
	url      string
	goods    []string // slugs
	shoppers []*shopper

	left   chan struct{} // closed: finish what you are at, and go
	going  sync.Once
	gone   sync.WaitGroup
	placed atomic.Int64 // orders
	asked  atomic.Int64 // requests
	down   atomic.Int64 // answers of 503
	silent atomic.Int64 // requests that the shop did not answer

	mu       sync.Mutex
	orders   []order
	failures []failure
	outages  []outage
	served   map[string]int // requests by server, if a balancer says which it was
	signOuts int
	faults   int
}

// An order as the customer knows it.
type order struct {
	number int64
	email  string
	key    string
	lines  map[string]int // pieces by slug
}

// A failure is a request that got no answer, or 503.
type failure struct {
	what     string
	down     bool // says the shop
	from, to time.Time
}

// An outage begins when something is broken, and is over when it is whole.
type outage struct{ from, over time.Time }

// gather makes a crowd at the shop's door. They have accounts already, but
// for the newcomers among them.
func gather(t *testing.T, url string, goods []string, members, newcomers int) *crowd {
	t.Helper()
	c := &crowd{t: t, url: url, goods: goods, left: make(chan struct{}), served: map[string]int{}}
	for i := range members + newcomers {
		c.shoppers = append(c.shoppers, newShopper(c, i, i >= members))
	}
	return c
}

// enter lets everybody sign in, a few at a time, and then shop.
func (c *crowd) enter() {
	c.t.Helper()
	var in sync.WaitGroup
	door := make(chan struct{}, 2)
	for _, s := range c.shoppers {
		in.Go(func() {
			door <- struct{}{}
			defer func() { <-door }()
			s.signIn()
		})
	}
	in.Wait()
	c.t.Cleanup(c.leave)
	for _, s := range c.shoppers {
		c.gone.Go(s.shop)
	}
}

// leave lets everybody finish, and returns when they have.
func (c *crowd) leave() {
	c.going.Do(func() { close(c.left) })
	c.gone.Wait()
}

func (c *crowd) isLeaving() bool {
	select {
	case <-c.left:
		return true
	default:
		return false
	}
}

// fault reports what must not be. Of many only the first are shown.
func (c *crowd) fault(format string, args ...any) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults++; c.faults <= 10 {
		c.t.Errorf(format, args...)
	}
}

// until waits for something that nobody can call back about.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !happened() {
		select {
		case <-late:
			t.Fatalf("waiting until %s, in vain", what)
		case <-poll.C:
			if t.Failed() {
				t.FailNow() // and not wait for a crowd that has given up
			}
		}
	}
}

// untilBusy waits until as many orders were placed as there are shoppers, and
// then for a moment, so that everybody is in the middle of something, and what
// that is, is up to chance.
func (c *crowd) untilBusy(moment *rand.Rand) {
	c.t.Helper()
	enough := c.placed.Load() + int64(len(c.shoppers))
	until(c.t, "more orders are placed", func() bool { return c.placed.Load() >= enough })
	<-time.After(time.Duration(moment.Int64N(int64(100 * time.Millisecond))))
}

// untilServed waits until the shop says that it is ready, and shows a page.
func (c *crowd) untilServed() (at time.Time) {
	c.t.Helper()
	until(c.t, "the shop serves", func() bool { return opens(c.url+"/readyz") && opens(c.url+"/") })
	return time.Now()
}

// untilServedBy waits until one of several servers has served the crowd again.
func (c *crowd) untilServedBy(server string) {
	c.t.Helper()
	count := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.served[server]
	}
	before := count()
	until(c.t, server+" serves again", func() bool { return count() > before })
}

func opens(url string) bool {
	answer, err := http.Get(url)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// had tells the crowd of an outage, and waits until everybody has seen that
// their ticket still opens their account.
func (c *crowd) had(o outage) {
	c.t.Helper()
	c.mu.Lock()
	c.outages = append(c.outages, o)
	n := int64(len(c.outages))
	c.mu.Unlock()
	for _, s := range c.shoppers {
		s.outages.Store(n)
	}
	for _, s := range c.shoppers {
		until(c.t, s.name+" has seen the account again", func() bool { return s.seen.Load() >= n })
	}
}

// late looks at the failures that an outage does not explain, not even in
// part: worst is how long after the outage one of them was sent, and stray are
// those that were sent later than grace after it. What has died says no at
// once, or never; so a shop that says no after a second is one whose machine
// has too much to do, and that is not asked here.
func (c *crowd) late(grace time.Duration) (worst time.Duration, stray []failure, busy int) {
	for _, f := range c.failures {
		i := len(c.outages) - 1
		for i >= 0 && c.outages[i].from.After(f.to) {
			i--
		}
		over := time.Time{}
		if i >= 0 {
			over = c.outages[i].over
		}
		switch since := f.from.Sub(over); {
		case since < 0: // the outage's own
		case since <= grace:
			worst = max(worst, since)
		case f.down && f.to.Sub(f.from) > time.Second:
			busy++
		default:
			stray = append(stray, f)
		}
	}
	return worst, stray, busy
}

// longestOutage is the longest time for which something was broken.
func (c *crowd) longestOutage() (longest time.Duration) {
	for _, o := range c.outages {
		longest = max(longest, o.over.Sub(o.from))
	}
	return longest
}
