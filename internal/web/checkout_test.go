package web_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// buy sends the checkout form with a given key.
func (b *browser) buy(key string) answer {
	b.t.Helper()
	return b.post("/checkout", "name", "Alice", "address", "1 Rail Road\r\nCoatham", "order_key", key)
}

const someKey = "some-order-key-0001"

func TestRepeatedCheckoutIsOneOrder(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	put(alice, "camel-overcoat", 2)
	first := alice.buy(someKey).is(http.StatusSeeOther).Header.Get("Location")
	alice.buy(someKey).leadsTo(first)

	alice.add("navy-peacoat") // a later repeat leaves the new cart alone
	alice.buy(someKey).leadsTo(first)
	if n := alice.get("/cart").cartCount(); n != 1 {
		t.Errorf("after a repeat %d pieces are in the cart, want 1", n)
	}

	key := alice.get("/checkout").field("order_key")
	var requests sync.WaitGroup
	for range 20 {
		requests.Go(func() { alice.buy(key).is(http.StatusSeeOther) })
	}
	requests.Wait()
	if n := s.number(`SELECT count(*) FROM orders`); n != 2 {
		t.Errorf("there are %d orders, want 2", n)
	}
	if n := s.number(`SELECT stock FROM products WHERE slug = 'navy-peacoat'`); n != 63 {
		t.Errorf("%d peacoats are left, want 63", n)
	}
}

func TestOrderKeyIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, bob := s.signedInAs("alice"), s.signedInAs("bob")
	alice.add("camel-overcoat")
	bob.add("navy-peacoat")
	a, b := alice.buy(someKey).is(http.StatusSeeOther), bob.buy(someKey).is(http.StatusSeeOther)
	if a.Header.Get("Location") == b.Header.Get("Location") {
		t.Error("two users' orders with the same key are one")
	}
}

func TestCheckoutShortOfStockChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	put(alice, "camel-overcoat", 2)
	put(alice, "check-coat", 3)
	key := alice.get("/checkout").field("order_key")
	s.exec(`UPDATE products SET stock = 2 WHERE slug = 'check-coat'`)
	before := s.picture()

	alice.buy(key).is(http.StatusConflict).says("no longer have enough")
	s.unchanged(before, "a checkout short of stock")

	alice.post("/cart/items/check-coat", "quantity", "2").leadsTo("/cart")
	alice.buy(key).is(http.StatusSeeOther) // the form is still good
}

func TestCheckoutOfAnEmptyCartIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	before := s.picture()
	alice.get("/checkout").leadsTo("/cart")
	alice.buy(someKey).is(http.StatusConflict)
	s.unchanged(before, "a checkout of nothing")
}

func TestBadCheckoutFormIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	before := s.picture()
	for _, bad := range []struct{ name, address, key string }{
		{"", "1 Rail Road", someKey},
		{"   ", "1 Rail Road", someKey},
		{strings.Repeat("x", 101), "1 Rail Road", someKey},
		{"Alice\x07", "1 Rail Road", someKey},
		{"Alice", "", someKey},
		{"Alice", " \r\n ", someKey},
		{"Alice", strings.Repeat("x", 501), someKey},
		{"Alice", "1 Rail\x00Road", someKey},
		{"Alice", "1 Rail\x1bRoad", someKey},
		{"Alice", "1 Rail Road", ""},
		{"Alice", "1 Rail Road", "short"},
		{"Alice", "1 Rail Road", strings.Repeat("k", 65)},
		{"Alice", "1 Rail Road", someKey + "\n"},
		{"Alice", "1 Rail Road", "'; DROP TABLE orders --"},
	} {
		alice.post("/checkout", "name", bad.name, "address", bad.address, "order_key", bad.key).
			is(http.StatusUnprocessableEntity)
	}
	s.unchanged(before, "a bad checkout form")

	// The form that comes back for a foreign key has a good one.
	again := alice.buy("short").says("not quite ours").field("order_key")
	alice.buy(again).is(http.StatusSeeOther)
	alice.add("camel-overcoat")
	alice.post("/checkout", "name", strings.Repeat("ä", 100), "address", strings.Repeat("ö", 500), "order_key", strings.Repeat("k", 64)).
		is(http.StatusSeeOther)
}

// ASVS 8.2: to anyone but its owner an order does not exist.
func TestForeignOrderIsNotFound(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice, bob := s.signedInAs("alice"), s.signedInAs("bob")
	alice.add("camel-overcoat")
	order := alice.order()

	bob.get(order).is(http.StatusNotFound)
	if orders := bob.get("/orders"); strings.Contains(orders.body, order) {
		t.Error("Alice's order is among Bob's")
	}
	s.browser().get(order).leadsTo("/login?next=" + strings.ReplaceAll(order, "/", "%2F"))
	s.signedInAs("admin").get(order).is(http.StatusNotFound) // an administrator is no owner
	alice.get(order).is(http.StatusOK)
}

func TestOrderKeepsNameAndPriceOfTheDay(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	order := alice.order()
	s.exec(`UPDATE products SET name = 'Moth-eaten Overcoat', price_cents = 100`)
	page := alice.get(order)
	if page.text("total") != "$429.00" || strings.Contains(page.body, "Moth-eaten") {
		t.Errorf("the order's total is %s; its page has the new name: %v", page.text("total"), strings.Contains(page.body, "Moth-eaten"))
	}
}

// ASVS 3.2.2 is proven in a browser; this is the server's half of it.
func TestTextStaysText(t *testing.T) {
	t.Parallel()
	s := open(t)
	const script = `"><script>alert(1)</script>`
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	s.exec(`UPDATE users SET name = $1`, script)
	placed := alice.post("/checkout", "name", script, "address", script, "order_key", someKey).is(http.StatusSeeOther).Header.Get("Location")
	guest := s.browser()
	for _, a := range []answer{
		alice.get(placed), alice.get("/orders"), alice.get("/"),
		alice.post("/cart/items", "product", "camel-overcoat", "quantity", script),
		alice.post("/cart/items/camel-overcoat", "quantity", script),
		alice.post("/checkout", "name", script, "address", "", "order_key", script),
		guest.get("/login?next=/" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
		guest.post("/login", "email", script, "password", script, "next", "/"+script),
		guest.post("/signup", "email", script, "name", script, "password", "x", "next", "/"+script),
		guest.get("/%22%3E%3Cscript%3Ealert(1)%3C/script%3E"),
	} {
		if strings.Contains(a.body, "<script>") { // the shop's own has a source
			t.Errorf("%s: what a visitor typed is part of the page", a.what())
		}
	}
}
