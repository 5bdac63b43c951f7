package browser_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"coatcheck/internal/e2e/axe"

	"github.com/chromedp/chromedp"
)

// Every page fits into every window, light and dark, and gives the browser
// nothing to complain about: no blocked style, no lost picture, no request to
// anybody else. 320 is a small phone, or a window at a zoom of 400 %. And no page
// stands in anybody's way, as far as a program can tell: axe-core looks at each,
// with everything opened that can be opened.
func TestEveryPageFitsAndAxeFindsNothing(t *testing.T) {
	t.Parallel()
	script, err := axe.Script()
	if err != nil {
		t.Fatal(err)
	}
	shop, db := openWithDatabase(t)
	visitor := sitDown(t, shop.URL)
	pages := 0
	tour(visitor, db, func(what string) {
		t.Helper()
		visitor.run(chromedp.Evaluate[chromedp.Void](script))
		for i, at := range []struct {
			width  int64
			scheme string
		}{{320, "light"}, {390, "light"}, {390, "dark"}, {1280, "light"}, {1280, "dark"}} {
			visitor.prefer(at.scheme)
			visitor.run(chromedp.EmulateViewport(at.width, 800))
			if wide := ask[int64](visitor, `document.documentElement.scrollWidth`); wide > at.width {
				t.Errorf("%s (%s) is %d wide in a window of %d, %s", what, visitor.path(), wide, at.width, at.scheme)
			}
			// axe-core takes its time, so it sees a page on a phone by day and on
			// a desk by night, and the next one the other way round.
			if i > 0 && (i == 1 || i == 4) == (pages%2 == 0) {
				for _, v := range visitor.violations() {
					t.Errorf("%s (%s), %s, %d wide: %s", what, visitor.path(), at.scheme, at.width, v)
				}
			}
		}
		pages++
	})
	if pages == 0 {
		t.Error("nobody has looked at anything")
	}
	visitor.untroubled()
}

// tour leads a visitor to every page there is, with names as long as may be,
// and calls seen at each, with everything opened that can be opened.
func tour(v *person, db *shopsDatabase, seen func(what string)) {
	v.t.Helper()
	look := func(what string) {
		v.t.Helper()
		v.run(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach(d => d.open = true)`))
		if !ask[bool](v, `document.getElementById('xray') !== null`) {
			v.t.Errorf("%s has no X-ray", what)
		}
		seen(what)
	}
	longName, longAddress := strings.Repeat("W", 100), strings.Repeat("M", 500)
	see := func(what string, want int64, path string) {
		v.t.Helper()
		if status := v.visit(path); status != want {
			v.t.Errorf("%s: status %d, want %d", path, status, want)
		}
		look(what)
	}

	see("the rail", 200, "/")
	see("a product", 200, "/products/camel-overcoat")
	see("nothing", 404, "/nothing")
	see("an empty cart", 200, "/cart")

	see("the sign-up", 200, "/signup")
	v.uncheck()
	v.press("Open my account")
	look("a sign-up with nothing in it")
	v.write("name", longName)
	v.write("email", "long@example.com")
	v.write("password", "a rail full of coats")
	v.press("Open my account")
	look("the sign-in after a sign-up")
	v.write("email", "long@example.com")
	v.write("password", "wrong")
	v.press("Sign in")
	look("a sign-in that failed")
	v.write("email", "long@example.com")
	v.write("password", "a rail full of coats")
	v.press("Sign in")
	look("the rail, signed in")
	v.is(longName, "0")
	see("no orders", 200, "/orders")

	for _, product := range []string{"Camel Overcoat", "Navy Peacoat", "Yellow Raincoat"} {
		v.take(product)
	}
	look("a cart")
	v.uncheck()
	v.write("quantity", "500")
	v.press("Update")
	look("a cart with a quantity that is refused")
	see("a product that is in the cart", 200, "/products/camel-overcoat")
	v.uncheck()
	v.write("quantity", "0")
	v.press("Add to cart")
	look("a product with a quantity that is refused")

	see("the checkout", 200, "/checkout")
	v.uncheck()
	v.write("name", "")
	v.press("Place the order")
	look("a checkout with nothing in it")
	v.write("name", longName)
	v.write("address", longAddress)
	v.press("Place the order")
	look("an order")
	see("a list of orders", 200, "/orders")

	see("the life of a session", 200, "/xray")
	v.follow("POST /checkout")
	look("the X-ray of a request")
	see("what there is to learn", 200, "/learn")
	see("a claim", 200, "/learn/S17")
	see("a claim that is not shown yet", 200, "/learn/S22")
	see("the reading guide", 200, "/learn/code")
	see("a file of the source", 200, "/learn/code/internal/sessions/manager.go")
	see("a test", 200, "/learn/code/internal/web/story_test.go")
	see("the story", 200, "/story")
	v.press("Play it")
	look("the story, as it was played")
	v.follow("Step by step")
	look("the first step")
	see("the step in which a session moves", 200, "/story/1/sign-in")

	see("the account", 200, "/account")
	v.uncheck()
	v.press("Change the password")
	look("a new password without the old one")
	v.uncheck()
	v.write("current_password", "a rail full of coats")
	v.write("new_password", "short")
	v.press("Change the password")
	look("a new password that is too short")
	v.uncheck()
	v.write("email", strings.Repeat("W", 300))
	v.writeAt(`#current-for-email`, "a rail full of coats")
	v.press("Change the address")
	look("a new address that is too long")

	v.signInElsewhere("long@example.com", "a rail full of coats", strings.Repeat("W", 500))
	see("the sessions", 200, "/account/sessions")
	db.exec(`UPDATE sessions SET created_at = created_at - interval '10 minutes' WHERE until < now() + interval '1 day'`)
	see("the sessions, a while after the sign-in", 200, "/account/sessions")
	v.uncheck()
	v.press("Confirm")
	look("the sessions, without the password")
	v.write("current_password", "a rail full of coats")
	v.press("Confirm")
	look("the sessions, with the password")
	v.press("Sign out")
	look("the rail, after signing out")
	see("no life of a session", 200, "/xray")

	v.visit("/login")
	v.signIn("admin")
	see("the users", 200, "/admin")
	v.uncheck()
	v.press("End all sessions")
	look("the users, without the password")
	see("no users", 200, "/admin?q="+longName+"x")
	see("the users with a name", 200, "/admin?q="+longName)
	v.follow(longName)
	look("a user")
	v.press("Disable the account")
	look("a user who is disabled")
	see("the administrator", 200, "/admin/users/3")
}

// signInElsewhere signs in with another browser, of that name, to stay.
func (p *person) signInElsewhere(email, password, browser string) {
	p.t.Helper()
	form := url.Values{"email": {email}, "password": {password}, "keep": {"on"}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", browser)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		p.t.Fatalf("signing in elsewhere: %s", answer.Status)
	}
}
