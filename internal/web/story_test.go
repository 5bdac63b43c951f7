package web_test

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// Alice's story, from her first coat to her sign-out.
func TestAliceBuysCoats(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.browser()

	alice.get("/").is(http.StatusOK)
	if alice.ticket() != "" || s.number(`SELECT count(*) FROM sessions`) != 0 {
		t.Error("a visitor who only looks around has a session")
	}

	for _, slug := range []string{"camel-overcoat", "yellow-raincoat", "yellow-raincoat"} {
		alice.add(slug).leadsTo("/cart")
	}
	chosen := map[string]int{"camel-overcoat": 1, "yellow-raincoat": 2}
	cart := alice.get("/cart").is(http.StatusOK).says("in your cart")
	if got := cart.pieces(); !maps.Equal(got, chosen) || cart.cartCount() != 3 || cart.text("total") != "$727.00" {
		t.Errorf("the guest's cart holds %v (%d) for %s", got, cart.cartCount(), cart.text("total"))
	}
	alice.get("/checkout").leadsTo("/login?next=%2Fcheckout")

	alice.post("/login", "email", "alice@example.com", "password", "coat-check-alice", "next", "/checkout").leadsTo("/checkout")
	checkout := alice.get("/checkout").is(http.StatusOK).says("signed in")
	if got := checkout.pieces(); !maps.Equal(got, chosen) || checkout.text("account-name") != "Alice" {
		t.Errorf("after the sign-in %q is at the checkout with %v", checkout.text("account-name"), got)
	}

	placed := alice.order()
	order := alice.get(placed).is(http.StatusOK).says("Thank you")
	if got := order.pieces(); !maps.Equal(got, chosen) || order.text("total") != "$727.00" || order.cartCount() != 0 {
		t.Errorf("the order has %v for %s, and %d are in the cart", got, order.text("total"), order.cartCount())
	}
	if !strings.Contains(alice.get("/orders").is(http.StatusOK).body, `href="`+placed+`"`) {
		t.Errorf("%s is not among Alice's orders", placed)
	}

	alice.post("/logout").leadsTo("/")
	if home := alice.get("/").says("signed out"); home.text("account-name") != "" {
		t.Error("Alice is still known after the sign-out")
	}
}

// ASVS 7.2.4
func TestSignInMovesToANewID(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.browser()
	alice.add("camel-overcoat")
	guest := alice.copyOf()
	alice.signIn("alice")

	if alice.ticket() == guest.ticket() {
		t.Error("the ID is the same after the sign-in")
	}
	if n := s.number(`SELECT count(*) FROM sessions WHERE key = $1`, key(guest.ticket())); n != 0 {
		t.Error("the row of the old ID is still there")
	}
	if page := guest.get("/cart"); page.text("account-name") != "" || page.cartCount() != 0 {
		t.Errorf("the old ID shows %q with %d pieces", page.text("account-name"), page.cartCount())
	}
	if page := alice.get("/cart"); page.text("account-name") != "Alice" || page.cartCount() != 1 {
		t.Errorf("the new ID shows %q with %d pieces", page.text("account-name"), page.cartCount())
	}
}

// key is what the store files an ID under.
func key(ticket string) []byte {
	k := sha256.Sum256([]byte(ticket))
	return k[:]
}

func TestSecondSignInMovesAgain(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	before := alice.copyOf()
	alice.signIn("alice")
	before.get("/orders").leadsTo("/login?next=%2Forders")
	alice.get("/orders").is(http.StatusOK)
	if n := s.number(`SELECT count(*) FROM sessions`); n != 1 {
		t.Errorf("there are %d sessions, want 1", n)
	}
}

// X2, X5, X6: whatever comes in, the ID that goes out is the shop's own.
func TestPlantedIDsAreNeverAdopted(t *testing.T) {
	t.Parallel()
	s := open(t)
	bob := s.signedInAs("bob")
	ofRightShape := strings.Repeat("A", 43)
	for _, planted := range []string{
		"session=" + ofRightShape,
		"session=short",
		"session=",
		"session=" + strings.Repeat("A", 44),
		"session=" + strings.Repeat("!", 43),
		"session=" + ofRightShape + "; session=" + bob.ticket(),
		"session=" + bob.ticket() + "; session=" + ofRightShape,
		"__Host-session=" + bob.ticket(),
		"Session=" + bob.ticket(),
	} {
		alice := s.browser()
		r := alice.request(http.MethodGet, "/orders")
		r.Header.Set("Cookie", planted)
		alice.do(r).leadsTo("/login?next=%2Forders")

		r = alice.form("/login", "email", "alice@example.com", "password", "coat-check-alice")
		r.Header.Set("Cookie", planted)
		set := alice.do(r).leadsTo("/").sets("session")
		if len(set) != 1 || strings.Contains(planted, set[0].Value) {
			t.Errorf("with %s the sign-in sets %v", planted, set)
		}
	}
	bob.get("/orders").is(http.StatusOK)
}

// X4: an ID counts in its cookie and nowhere else.
func TestIDsInAddressesAndFormsAreIgnored(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.signedInAs("alice").ticket()
	other := s.browser()
	other.get("/orders?session=" + id).leadsTo("/login?next=%2Forders%3Fsession%3D" + id)
	other.get("/orders;session=" + id).is(http.StatusNotFound)
	other.post("/cart/items", "product", "navy-peacoat", "quantity", "1", "session", id).leadsTo("/cart")
	if page := other.get("/cart"); page.text("account-name") != "" || page.cartCount() != 1 {
		t.Errorf("the ID in a form made the visitor %q with %d pieces", page.text("account-name"), page.cartCount())
	}
}

// ASVS 7.4.1
func TestSignOutEndsTheSessionInTheStore(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	thief := alice.copyOf()
	thief.get("/orders").is(http.StatusOK)

	out := alice.post("/logout").leadsTo("/")
	if set := out.sets("session"); len(set) != 1 || set[0].MaxAge >= 0 || set[0].Value != "" {
		t.Errorf("the sign-out sets %v, want the cookie cleared", set)
	}
	if n := s.number(`SELECT count(*) FROM sessions`); n != 0 {
		t.Error("the session is still in the store")
	}
	thief.get("/orders").leadsTo("/login?next=%2Forders")
	alice.get("/logout").is(http.StatusMethodNotAllowed)
	alice.post("/logout").leadsTo("/") // once more is no error
}

// ASVS 7.4.4. The refusal of another site's form is the one page without: it is
// answered before anybody looks at the ticket.
func TestSignOutIsOnEveryPageOfASignedInVisitor(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	alice.add("camel-overcoat")
	order := alice.order()
	alice.add("navy-peacoat")
	alice.add("check-coat")
	s.exec(`UPDATE users SET role = 'administrator' WHERE name = 'Alice'`)

	for status, answers := range map[int][]answer{
		http.StatusOK: {
			alice.get("/"), alice.get("/products/camel-overcoat"), alice.get("/cart"),
			alice.get("/checkout"), alice.get("/orders"), alice.get(order),
			alice.get("/account"), alice.get("/account/sessions"), alice.get("/admin"), alice.get(s.adminPath("bob")),
		},
		http.StatusNotFound:         {alice.get("/nowhere"), alice.get("/products/nothing"), alice.get("/orders/1")},
		http.StatusMethodNotAllowed: {alice.get("/logout"), alice.post("/orders")},
		http.StatusUnprocessableEntity: {alice.post("/cart/items", "product", "camel-overcoat", "quantity", "0"), alice.post("/checkout"), alice.post("/login"), alice.post("/signup"),
			alice.post("/account/password"), alice.post("/account/email"), alice.post(s.adminPath("alice", "disable")), alice.post("/admin/sessions/revoke-all")},
		http.StatusConflict:              {alice.post("/cart/items", "product", "check-coat", "quantity", "3")},
		http.StatusUnsupportedMediaType:  {alice.do(alice.request(http.MethodPost, "/cart/items"))},
		http.StatusRequestEntityTooLarge: {alice.post("/cart/items", "product", strings.Repeat("x", 1<<20))},
	} {
		for _, a := range answers {
			a.is(status)
			if a.text("account-name") != "Alice" || a.cartCount() != 2 || !strings.Contains(a.body, `<form method="post" action="/logout">`) {
				t.Errorf("%s (%d) knows %q with %d pieces; it must know Alice with 2 and offer the sign-out",
					a.what(), status, a.text("account-name"), a.cartCount())
			}
		}
	}
}

func TestSignedInVisitorHasNoBusinessAtTheSignIn(t *testing.T) {
	t.Parallel()
	alice := open(t).signedInAs("alice")
	alice.get("/login").leadsTo("/")
	alice.get("/login?next=/orders").leadsTo("/orders")
	alice.get("/signup?next=//evil.example").leadsTo("/")
}

// What a session refers to may be gone. Nobody is shown as somebody else.
func TestSessionOfADeletedUserIsTurnedAway(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.signedInAs("alice")
	s.exec(`DELETE FROM users WHERE name = 'Alice'`)
	alice.get("/").leadsTo("/login")
	alice.get("/login").is(http.StatusOK).says("ended")
	if n := s.number(`SELECT count(*) FROM sessions`); n != 0 {
		t.Error("the session of nobody is still in the store")
	}
}
