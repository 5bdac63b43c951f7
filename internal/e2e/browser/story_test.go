// Package browser_test walks through the shop in a real Chromium, clicking and
// typing as a person does.
package browser_test

import (
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

func open(t *testing.T) *process.Shop {
	t.Helper()
	return process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_DEMO=true")
}

// The shop needs no script, so the story is told with JavaScript off.
func TestAlicesStory(t *testing.T) {
	t.Parallel()
	shop := open(t)
	alice := sitDown(t, shop.URL)
	alice.forbidScripts()
	alice.visit("/")
	alice.is("", "0")

	alice.take("Camel Overcoat")
	alice.take("Navy Peacoat")
	alice.take("Yellow Raincoat")
	alice.is("", "3")

	alice.follow("Go to checkout")
	if !strings.Contains(alice.message(), "sign in first") {
		t.Errorf("sent to the sign-in, she is told %q", alice.message())
	}
	alice.signIn("alice")
	alice.is("Alice", "3")
	if alice.path() != "/checkout" {
		t.Errorf("signed in, she is at %s; she was going to the checkout", alice.path())
	}

	// The server is killed, and started again. She is still signed in.
	shop.Kill()
	shop.Start()
	alice.follow("Cart")
	alice.is("Alice", "3")

	alice.follow("Go to checkout")
	alice.write("name", "Alice")
	alice.write("address", "1 Rail Road")
	total := alice.mark("total")
	alice.press("Place the order")
	alice.is("Alice", "0")
	order := alice.path()
	if !strings.HasPrefix(order, "/orders/") || alice.mark("total") != total || !strings.Contains(alice.message(), "Thank you") {
		t.Errorf("she ordered for %s and is at %s, which says %q and %s", total, order, alice.message(), alice.mark("total"))
	}
	alice.follow("Orders")
	alice.follow("Order ")
	if alice.path() != order {
		t.Errorf("her list of orders leads to %s, want %s", alice.path(), order)
	}

	alice.press("Sign out")
	alice.is("", "0")
	if !strings.Contains(alice.message(), "signed out") {
		t.Errorf("signed out, she is told %q", alice.message())
	}
	alice.visit(order)
	if !strings.HasPrefix(alice.path(), "/login?next=") {
		t.Errorf("signed out, her order's address leads to %s", alice.path())
	}
	alice.untroubled()
}

// X21: who sits down at the computer after the sign-out and presses "back"
// sees nothing of the account.
func TestBackAfterSignOutShowsNothing(t *testing.T) {
	t.Parallel()
	alice := arrive(t, open(t))
	alice.take("Camel Overcoat")
	alice.follow("Sign in")
	alice.signIn("alice")
	alice.follow("Cart")
	alice.follow("Orders")
	alice.visit("/account")
	alice.visit("/account/sessions")
	alice.press("Sign out")
	for range 7 {
		alice.back()
		alice.is("", "0")
		if strings.Contains(alice.body(), "Sign out") || alice.path() == "/orders" || strings.HasPrefix(alice.path(), "/account") {
			t.Errorf("back at %s the browser shows:\n%s", alice.path(), alice.body())
		}
	}
}
