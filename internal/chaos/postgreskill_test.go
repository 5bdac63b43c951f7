package chaos_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
)

// servesAgain is how soon the shop must serve once what it needs is back.
const servesAgain = 5 * time.Second

// Postgres dies, all of it and at once, in the middle of everything, and comes
// back on the data that are on its disk.
func TestPostgresIsKilledWhilePeopleShop(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	pg := servers.Postgres(t)
	kills, members, newcomers := whole(20, 2), whole(80, 12), whole(20, 0)
	b := openBooks(t, pg.URL, members)
	b.durable()
	shop := process.Open(t, append(unthrottled, "DATABASE_URL="+pg.URL)...)
	c := gather(t, shop.URL, b.goods, members, newcomers)
	c.enter()

	moment := chance(t.Name())
	var longest time.Duration
	for range kills {
		c.untilBusy(moment)
		from := time.Now()
		pg.Kill()
		pg.Start()
		back := time.Now()
		if !strings.Contains(pg.Output(), "was not properly shut down") {
			t.Errorf("Postgres says nothing of a crash:\n%s", pg.Output())
		}
		longest = max(longest, c.untilServed().Sub(back))
		c.had(outage{from, back})
	}
	c.leave()
	if longest > servesAgain {
		t.Errorf("once Postgres was back, the shop took %v to serve", longest)
	}
	c.report(b.audit(c), servesAgain, fmt.Sprintf("Postgres down for %v at most, the shop serving %v after it", ms(c.longestOutage()), ms(longest)))
}

// unthrottled are the settings of a shop at which a crowd may come from one
// address.
var unthrottled = []string{"SHOP_DEMO=false", "SHOP_SIGNUP_RATE=1000000", "SHOP_CART_RATE=1000000", "SHOP_LOGIN_RATE=1000000"}
