package web_test

import (
	"maps"
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestSignInAddsTheGuestsCartToTheUsers(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.exec(`UPDATE products SET stock = 5 WHERE slug = 'stone-trench'`)

	before := s.signedInAs("alice")
	put(before, "camel-overcoat", 2)
	put(before, "felt-fedora", 15)
	put(before, "stone-trench", 3)
	guest := s.browser()
	put(guest, "camel-overcoat", 3)  // 2 and 3 are 5
	put(guest, "felt-fedora", 15)    // 15 and 15 are more than a cart takes
	put(guest, "stone-trench", 3)    // 3 and 3 are more than there are
	put(guest, "leather-gloves", 1)  // new
	put(guest, "yellow-raincoat", 1) // sold out before the sign-in
	s.exec(`UPDATE products SET stock = 0 WHERE slug = 'yellow-raincoat'`)
	guest.signIn("alice")

	want := map[string]int{"camel-overcoat": 5, "felt-fedora": 20, "stone-trench": 5, "leather-gloves": 1}
	page := guest.get("/cart").says("look at the quantities")
	if got := page.pieces(); !maps.Equal(got, want) || page.cartCount() != 31 {
		t.Errorf("the merged cart holds %v (%d), want %v", got, page.cartCount(), want)
	}
	if n := s.number(`SELECT count(*) FROM carts`); n != 1 {
		t.Errorf("there are %d carts, want 1", n)
	}

	guest.signIn("alice") // and once more
	if got := guest.get("/cart").says("fresh ticket").pieces(); !maps.Equal(got, want) {
		t.Errorf("after a second sign-in the cart holds %v, want %v", got, want)
	}
}

func put(b *browser, slug string, quantity int) {
	b.t.Helper()
	b.post("/cart/items", "product", slug, "quantity", strconv.Itoa(quantity)).leadsTo("/cart")
}

// X18: of what a session referred to, the guest's cart alone goes along.
func TestSignInAsSomebodyElseTakesNothingAlong(t *testing.T) {
	t.Parallel()
	s := open(t)
	browser := s.signedInAs("bob")
	browser.add("navy-peacoat")
	bob := browser.copyOf()

	browser.signIn("alice")
	if page := browser.get("/cart"); page.text("account-name") != "Alice" || page.cartCount() != 0 {
		t.Errorf("%q has %d pieces in the cart, want Alice with none", page.text("account-name"), page.cartCount())
	}
	bob.get("/orders").leadsTo("/login?next=%2Forders") // Bob's ticket in this browser is dead
	if n := s.signedInAs("bob").get("/cart").cartCount(); n != 1 {
		t.Errorf("Bob's cart holds %d pieces, want the 1 that he put there", n)
	}
}

// X18: a session that somebody planted in the visitor's browser, cart and all,
// dies at the sign-in. The planter, who knows its ID, is left with nothing.
func TestPlanterOfASessionIsLeftWithNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	planter := s.browser()
	planter.add("camel-overcoat")
	alice := planter.copyOf()
	alice.signIn("alice")

	planter.get("/orders").leadsTo("/login?next=%2Forders")
	planter.post("/cart/items", "product", "felt-fedora", "quantity", "1").is(http.StatusConflict)
	s.clock.advance(time.Minute)
	planter.add("felt-fedora") // begins a session of its own
	if page := alice.get("/cart"); page.text("account-name") != "Alice" || page.pieces()["felt-fedora"] != 0 {
		t.Errorf("%q has %v in the cart; the planter reached it", page.text("account-name"), page.pieces())
	}
}

func TestSignOutLeavesTheCartToTheAccount(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.signedInAs("alice")
	b.add("camel-overcoat")
	b.post("/logout").leadsTo("/")
	if n := b.get("/cart").cartCount(); n != 0 {
		t.Errorf("after the sign-out the browser shows %d pieces", n)
	}
	b.signIn("alice")
	if n := b.get("/cart").cartCount(); n != 1 {
		t.Errorf("after the next sign-in the cart holds %d pieces, want 1", n)
	}
}

// A sign-in that failed half-way has merged the cart that the session still
// refers to. The guest can go on, in a new cart.
func TestGuestWhoseCartIsGoneGetsANewOne(t *testing.T) {
	t.Parallel()
	s := open(t)
	guest := s.browser()
	guest.add("camel-overcoat")
	s.exec(`DELETE FROM carts`)
	guest.post("/cart/items/camel-overcoat", "quantity", "2").leadsTo("/cart")
	guest.get("/cart").says("ended")

	old := guest.ticket()
	guest.add("navy-peacoat")
	if n := guest.get("/cart").says("new cart").cartCount(); n != 1 || guest.ticket() == old {
		t.Errorf("the new cart holds %d pieces; want 1, and a new ticket", n)
	}
	if n := s.number(`SELECT count(*) FROM sessions`); n != 1 {
		t.Errorf("there are %d sessions, want 1", n)
	}
}

func TestQuantitiesOfTheCartCanBeChanged(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	b.add("camel-overcoat")
	b.add("navy-peacoat")
	b.post("/cart/items/camel-overcoat", "quantity", "7").leadsTo("/cart")
	b.get("/cart").says("changed")
	b.post("/cart/items/navy-peacoat", "quantity", "0").leadsTo("/cart")
	page := b.get("/cart").says("out of your cart")
	b.post("/cart/items/no-such-coat", "quantity", "0").is(http.StatusNotFound)
	if want := map[string]int{"camel-overcoat": 7}; !maps.Equal(page.pieces(), want) {
		t.Errorf("the cart holds %v, want %v", page.pieces(), want)
	}
	if page := b.get("/products/camel-overcoat"); page.message() != "" {
		t.Errorf("the message %q is shown twice", page.message())
	}
}
