package chaos_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Visitors come to look at one page each, at a fixed rate, whether or not
// those before them have been answered: nobody stays at home because the shop
// is slow today. Each comes by a connection of their own, and waits from the
// moment at which it was time to come.
type visitors struct {
	t       *testing.T
	url     string
	every   time.Duration // one comes
	members []*shopper    // every other visitor is one of them, and signed in
	goods   []string      // slugs
	client  *http.Client
	come    int
}

// tooLong is how long a visitor waits for a page at most.
const tooLong = 10 * time.Second

// invite lets so many members sign in, and prepares visits at so many a second.
func invite(t *testing.T, shop string, b *books, members, rate int) *visitors {
	t.Helper()
	c := gather(t, shop, b.goods, members, 0)
	for _, s := range c.shoppers {
		s.signIn()
	}
	return &visitors{
		t: t, url: shop, every: time.Second / time.Duration(rate), members: c.shoppers, goods: b.goods,
		client: &http.Client{Timeout: tooLong, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// waits is how long visitors have waited, in the order in which they came.
type waits struct {
	each   []time.Duration
	window int // how many come in two seconds
}

// visitFor lets visitors come for some time.
func (v *visitors) visitFor(d time.Duration) waits {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), d)
	defer cancel()
	return v.visit(ctx)
}

// visit lets them come until ctx ends, and gives how long each has waited for
// a page; tooLong, if they got none. That nobody gets a wrong one is expected here.
func (v *visitors) visit(ctx context.Context) waits {
	v.t.Helper()
	var mu sync.Mutex
	w := waits{window: int(2 * time.Second / v.every)}
	var all sync.WaitGroup
	first, due := v.come, time.Now()
	for ctx.Err() == nil {
		n, at := v.come, due
		v.come, due = v.come+1, due.Add(v.every)
		all.Go(func() {
			served := v.look(n)
			waited := time.Since(at)
			if !served {
				waited = tooLong
			}
			mu.Lock()
			defer mu.Unlock()
			if missing := n - first + 1 - len(w.each); missing > 0 {
				w.each = append(w.each, make([]time.Duration, missing)...)
			}
			w.each[n-first] = waited
		})
		select {
		case <-ctx.Done():
		case <-time.After(time.Until(due)):
		}
	}
	all.Wait()
	return w
}

// and adds those who came at another time.
func (w waits) and(others waits) waits {
	w.each = append(slices.Clone(w.each), others.each...)
	return w
}

// p99 is what 99 of a hundred did not exceed in two seconds, as it was in
// half of all times of two seconds. A machine that has others to serve, and
// disks, stands still now and then for longer than all pages of a second take
// together; with a percentile of the whole, that alone would be measured. What
// is with the shop all the time is in all of the times.
func (w waits) p99() time.Duration {
	var times []time.Duration
	for some := range slices.Chunk(w.each, w.window) {
		if len(some) == w.window || len(times) == 0 {
			times = append(times, percentile(some, 0.99))
		}
	}
	return percentile(times, 0.5)
}

// String is figures: what was usual, p99, p99 of the whole, and how many were
// not served.
func (w waits) String() string {
	unserved := 0
	for _, wait := range w.each {
		if wait == tooLong {
			unserved++
		}
	}
	return fmt.Sprintf("p50 %v, p99 %v (of all at once %v), %d of %d not served",
		tenths(percentile(w.each, 0.5)), tenths(w.p99()), tenths(percentile(w.each, 0.99)), unserved, len(w.each))
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// unnoticed is a wait that is not held against the shop, however short it is in
// calm. Where a page takes a few milliseconds and there are two cores for the
// shop, its database and the test itself, a turn of the scheduler is as long as
// the page; and nobody can see a fiftieth of a second.
const unnoticed = 20 * time.Millisecond

// atMostDouble is what is asked of the shop when something weighs on it.
func atMostDouble(t *testing.T, calm, weighedOn waits, by string) {
	t.Helper()
	if before, during := calm.p99(), weighedOn.p99(); during > max(2*before, unnoticed) {
		t.Errorf("p99 was %v, and is %v beside %s", before, during, by)
	}
}

// look is the visit of one: at the catalogue, a product, their cart or, who is
// signed in, their orders. It reports whether they were served. That they were
// asked to come again is as bad as too long a wait, and no worse: on a machine
// that stands still for a second, so does the shop.
func (v *visitors) look(n int) (served bool) {
	page, name := []string{"/", "/products/" + v.goods[n/4%len(v.goods)], "/cart"}[n/2%3], ""
	r, err := http.NewRequest("GET", v.url+page, nil)
	if err != nil {
		v.t.Error(err)
		return false
	}
	if n%2 == 0 {
		m := v.members[n/2%len(v.members)]
		name = m.name
		if page == "/cart" && n%4 == 0 {
			r.URL.Path = "/orders"
		}
		for _, c := range m.client.Jar.Cookies(&url.URL{Scheme: "http", Host: r.URL.Host, Path: "/"}) {
			r.AddCookie(c)
		}
	}
	answer, err := v.client.Do(r)
	if err != nil {
		v.t.Error(err)
		return false
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	if whose := accountName(string(body)); err != nil || answer.StatusCode != http.StatusOK || whose != name {
		v.t.Errorf("%s: %d, a page for %q instead of %q, %v", r.URL.Path, answer.StatusCode, whose, name, err)
	}
	return true
}

// accountName is whose page it is; empty, if nobody's.
func accountName(page string) string {
	_, rest, _ := strings.Cut(page, `id="account-name"`)
	_, rest, _ = strings.Cut(rest, ">")
	name, _, _ := strings.Cut(rest, "<")
	return name
}
