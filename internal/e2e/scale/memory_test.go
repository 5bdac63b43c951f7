package scale_test

import (
	"testing"
)

// Three servers that remember sessions each for itself know a visitor by turns:
// the one that Alice has signed in on, and none of the others.
func TestServersThatShareNothingLoseTheSession(t *testing.T) {
	t.Parallel()
	f := open(t, database(t), "SHOP_SESSION_STORE=memory")
	alice := visit(t, f.balance(""))
	alice.client.CheckRedirect = stay
	home := alice.signIn("Alice").server
	var known, unknown int
	for range 6 {
		switch p := alice.get("/"); {
		case p.server == home:
			p.is(t, "Alice", "0")
			known++
		default:
			p.is(t, "", "0")
			unknown++
		}
	}
	if known != 2 || unknown != 4 {
		t.Errorf("of six requests, %d came to the server that knows her, and %d to the others; want each in turn", known, unknown)
	}
}

// A load balancer that sticks hides that, until the server goes: then its
// visitors are signed out, also when it is back, and others' are not.
func TestStickySessionsLastUntilTheServerGoes(t *testing.T) {
	t.Parallel()
	f := open(t, database(t), "SHOP_SESSION_STORE=memory")
	url := f.balance(sticky)
	alice, bob := visit(t, url), visit(t, url)
	home := alice.signIn("Alice").is(t, "Alice", "0").server
	if other := bob.signIn("Bob").is(t, "Bob", "0").server; other == home {
		t.Errorf("both are sent to %s, one after the other", other)
	}
	alice.add("camel-overcoat").is(t, "Alice", "1")
	for range 6 {
		if p := alice.get("/").is(t, "Alice", "1"); p.server != home {
			t.Errorf("she is sent to %s, and has signed in at %s", p.server, home)
		}
	}
	if len(bob.way.served) != 1 {
		t.Errorf("he is sent here and there: %v", bob.way.served)
	}

	shop := f.called(home)
	shop.Stop()
	if p := alice.get("/").is(t, "", "0"); p.server == home {
		t.Error("a server answers that has gone")
	}
	shop.Start()
	alice.at(shop.URL).get("/").is(t, "", "0")
	bob.get("/").is(t, "Bob", "0")
	// Her coat is not lost: carts are in Postgres. She has to sign in again.
	alice.signIn("Alice").is(t, "Alice", "1")
}
