package chaos_test

import (
	"fmt"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
	"coatcheck/internal/postgres/pgtest"
)

// One of three shops dies, and is started again. What it was at when it died
// may fail; nobody else notices, and nobody is signed out.
func TestAShopIsKilledWhilePeopleShop(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	kills, members, newcomers := whole(20, 2), whole(80, 12), whole(20, 0)
	b := openBooks(t, pgtest.EmptyURL(t), members)
	var shops []*process.Shop
	for range 3 {
		shop := process.New(t, append(unthrottled, "DATABASE_URL="+b.url)...)
		shop.Begin()
		shops = append(shops, shop)
	}
	for _, shop := range shops {
		shop.WaitOpen()
	}
	c := gather(t, "http://"+balance(t, shops).Addr, b.goods, members, newcomers)
	c.enter()

	moment := chance(t.Name())
	var serving, among time.Duration
	for range kills {
		c.untilBusy(moment)
		killed := shops[moment.IntN(len(shops))]
		from := time.Now()
		killed.Kill()
		dead := time.Now()
		serving = max(serving, c.untilServed().Sub(dead))
		again := time.Now()
		killed.Start()
		c.untilServedBy(killed.Addr)
		among = max(among, time.Since(again))
		c.had(outage{from, dead})
	}
	c.leave()
	if serving > servesAgain || among > servesAgain {
		t.Errorf("it took %v until others served, and %v until the shop did again", serving, among)
	}
	c.report(b.audit(c), 0, fmt.Sprintf("the others serving within %v, the killed one %v after its start", ms(serving), ms(among)))
}

// balance starts a load balancer before the shops. If a shop refuses a
// connection it tries another one. A request that it has sent, it does not
// send again, because it cannot know what came of it; and so that none is sent
// to the dead, each has a connection of its own. On one that was kept, a
// request can cross the news that nobody is there any more.
func balance(t *testing.T, shops []*process.Shop) *servers.Server {
	t.Helper()
	addr := process.FreeAddr(t)
	configuration := fmt.Sprintf(`
defaults
	mode http
	timeout connect 2s
	timeout client 1m
	timeout server 1m
	timeout check 5s
	retries 3
	retry-on conn-failure
	option redispatch 1
	option http-server-close
frontend door
	bind %s
	default_backend shops
backend shops
	balance roundrobin
	option httpchk GET /readyz
	http-check expect status 200
	http-response set-header X-Served-By %%s
	default-server check inter 200ms fall 2 rise 1
`, addr)
	for _, shop := range shops {
		configuration += fmt.Sprintf("\tserver %s %s\n", shop.Addr, shop.Addr)
	}
	return servers.HAProxy(t, addr, configuration)
}
