package chaos_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/e2e/servers"
)

// The Postgres that leads dies, or falls silent, and its standby takes over;
// then the dead one comes back as the standby, and so to and fro. The shop is
// not told: it has the addresses of both, and takes the one that lets it write.
func TestPostgresFailsOverWhilePeopleShop(t *testing.T) {
	if !*long {
		t.Parallel()
	}
	leader := servers.Postgres(t)
	kills, members, newcomers := whole(6, 1), whole(80, 12), whole(20, 0)
	b := openBooks(t, leader.URL, members)
	standby := leader.Standby()
	b.url = both(t, leader, standby)
	b.durable()
	shop := process.Open(t, append(unthrottled, "DATABASE_URL="+b.url)...)
	c := gather(t, shop.URL, b.goods, members, newcomers)
	c.enter()
	guest := newShopper(c, members+newcomers, true)
	guest.expect("/cart", guest.insist("POST", "/cart/items", "product", b.goods[0], "quantity", "1"))

	moment := chance(t.Name())
	var longest, ofSilence time.Duration
	for i := range kills {
		if i > 0 {
			standby.Kill()
			standby.Follow(leader)
		}
		c.untilBusy(moment)
		from := time.Now()
		serving := &longest
		if i%2 == 0 {
			leader.Kill()
		} else {
			leader.Hang()
			serving = &ofSilence
		}
		standby.Promote()
		promoted := time.Now()
		leader, standby = standby, leader
		*serving = max(*serving, c.untilServed().Sub(promoted))
		c.had(outage{from, promoted})
	}
	if lines := guest.read("/cart"); lines[b.goods[0]] != 1 || len(lines) != 1 {
		t.Errorf("the guest's cart holds %v", lines)
	}
	guest.signIn() // with an account that is new, and the cart that is not
	guest.buy()
	c.leave()
	if longest > servesAgain || ofSilence > servesAgain {
		t.Errorf("once a Postgres led, the shop took %v to serve, and %v if the other was silent", longest, ofSilence)
	}
	c.report(b.audit(c), servesAgain, fmt.Sprintf("no Postgres to write to for %v at most, the shop serving %v after the promotion, %v if the one that led is silent rather than dead",
		ms(c.longestOutage()), ms(longest), ms(ofSilence)))
}

// both is the address of whichever of two servers leads.
func both(t *testing.T, one, other *servers.PostgresServer) string {
	t.Helper()
	u, err := url.Parse(one.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = one.Addr + "," + other.Addr
	q := u.Query()
	q.Set("target_session_attrs", "read-write")
	u.RawQuery = q.Encode()
	return u.String()
}
