package browser_test

import (
	"net/url"
	"strings"
	"testing"
)

// evil is what a page must show as it was typed. As markup it would open a
// dialog, load a picture, and break out of an attribute; the browser would
// also complain that the page's policy forbids scripts.
const evil = `"><img src=/x onerror=alert(1)><script>alert(2)</script>`

// ASVS 3.2.2: whatever is typed anywhere is shown as text, and runs nowhere.
func TestTextStaysText(t *testing.T) {
	t.Parallel()
	mallory := arrive(t, open(t))
	stillReads := func(fields ...string) {
		t.Helper()
		for _, name := range fields {
			content := `.value`
			if name == "quantity" { // a number's field hides from scripts what is no number
				content = `.getAttribute('value')`
			}
			if typed := ask[string](mallory, `document.querySelector('main [name=`+name+`]')`+content); typed != evil {
				t.Errorf("%s: in the field %s is %q", mallory.path(), name, typed)
			}
		}
	}
	shows := func() {
		t.Helper()
		if !strings.Contains(mallory.body(), evil) {
			t.Errorf("%s does not show the text:\n%s", mallory.path(), mallory.body())
		}
	}

	mallory.follow("Sign up")
	mallory.uncheck()
	mallory.write("name", evil)
	mallory.write("email", evil)
	mallory.write("password", "short")
	mallory.press("Open my account")
	stillReads("name", "email")

	mallory.write("email", "mallory@example.com")
	mallory.write("password", "a rail full of coats")
	mallory.press("Open my account")

	mallory.uncheck()
	mallory.write("email", evil)
	mallory.write("password", evil)
	mallory.press("Sign in")
	stillReads("email")

	mallory.write("email", "mallory@example.com")
	mallory.write("password", "a rail full of coats")
	mallory.press("Sign in")
	mallory.is(evil, "0")

	mallory.follow("Camel Overcoat")
	mallory.uncheck()
	mallory.write("quantity", evil)
	mallory.press("Add to cart")
	stillReads("quantity")

	mallory.write("quantity", "1")
	mallory.press("Add to cart")
	mallory.uncheck()
	mallory.write("quantity", evil)
	mallory.press("Update")
	stillReads("quantity")

	mallory.follow("Go to checkout")
	mallory.uncheck()
	mallory.write("name", strings.Repeat("x", 101)) // refused, so that the form comes back
	mallory.write("address", evil)
	mallory.press("Place the order")
	stillReads("address")
	mallory.write("name", evil)
	mallory.press("Place the order")
	shows()
	mallory.follow("Orders")
	shows()

	for _, path := range []string{"/", "/products/", "/orders/", "/?", "/login?next=/", "/signup?next="} {
		mallory.visit(path + url.QueryEscape(evil))
	}
	if found := ask[int](mallory, `document.querySelectorAll('script:not([src^="/static/"]), [onerror]').length`); found != 0 {
		t.Errorf("%d elements were made of the text", found)
	}
	mallory.untroubled()
}
