package web_test

import (
	"net/http"
	"strings"
	"testing"

	"coatcheck/internal/web"
)

// ASVS 3.5.1: a form from another site is refused, and nothing happens. What
// counts is what browsers say of a form's origin, and a page cannot forge.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	visitors := s.visitors()
	before := s.picture()
	own := s.server.URL
	for _, from := range []struct {
		site, origin string
		refused      bool
	}{
		{"cross-site", "", true}, {"cross-site", "null", true}, {"cross-site", "https://evil.example", true}, {"cross-site", own, true},
		{"same-site", "", true}, {"same-site", "null", true}, {"same-site", "https://evil.example", true}, {"same-site", own, true},
		{"", "null", true}, {"", "https://evil.example", true}, {"", own + ".evil.example", true}, {"", "http://localhost", true},
		{"nonsense", "", true},
	} {
		for _, to := range posts {
			b := visitors[to.needs]
			r := b.form(to.path, to.fields...)
			setUnlessEmpty(r, "Sec-Fetch-Site", from.site)
			setUnlessEmpty(r, "Origin", from.origin)
			if a := b.do(r).is(http.StatusForbidden); len(a.sets("session")) != 0 {
				t.Errorf("%s from %v sets %v", to.path, from, a.sets("session"))
			}
		}
	}
	s.unchanged(before, "another site's form")
}

func TestFormsOfTheShopAreTaken(t *testing.T) {
	t.Parallel()
	s := open(t)
	visitors := s.visitors()
	own := s.server.URL
	for _, from := range []struct{ site, origin string }{
		{"same-origin", ""}, {"same-origin", own}, {"same-origin", "null"},
		{"none", ""}, {"none", own}, // typed or bookmarked
		{"", own}, {"", ""}, // older browsers; no browser at all
	} {
		for _, to := range posts {
			b := visitors[to.needs]
			r := b.form(to.path, to.fields...)
			setUnlessEmpty(r, "Sec-Fetch-Site", from.site)
			setUnlessEmpty(r, "Origin", from.origin)
			if a := b.do(r); a.StatusCode == http.StatusForbidden {
				t.Errorf("%s from %v is refused", to.path, from)
			}
			switch to.path {
			case "/login": // left the guest signed in as Bob
				b.post("/logout")
			case "/logout":
				b.signIn("alice")
			}
		}
	}
}

func setUnlessEmpty(r *http.Request, header, value string) {
	if value != "" {
		r.Header.Set(header, value)
	}
}

// Behind a proxy that does not hand on the Host, the public URL is the origin.
func TestFormsOfThePublicURLAreTaken(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) { c.PublicURL = "https://shop.example" })
	for origin, want := range map[string]int{
		"https://shop.example":     http.StatusSeeOther,
		"http://shop.example":      http.StatusForbidden,
		"https://www.shop.example": http.StatusForbidden,
	} {
		b := s.browser()
		r := b.form("/cart/items", "product", "navy-peacoat", "quantity", "1")
		r.Header.Set("Origin", origin)
		b.do(r).is(want)
	}
}

// ASVS 3.5.3: no link, picture or prefetch changes anything, and none signs
// anybody in (7.6.2).
func TestGETAndHEADChangeNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	visitors := s.visitors()
	order := visitors["alice"].order()
	visitors["alice"].add("camel-overcoat")
	before := s.picture()
	for _, b := range []*browser{visitors[""], visitors["alice"], visitors["admin"], s.browser()} {
		for _, path := range []string{
			"/", "/products/camel-overcoat", "/cart", "/login", "/signup", "/checkout", "/orders", order, "/healthz", "/readyz", "/nowhere",
			"/cart/items?product=navy-peacoat&quantity=1", "/cart/items/camel-overcoat?quantity=0", "/logout",
			"/login?email=alice@example.com&password=coat-check-alice", "/checkout?name=A&address=B&order_key=" + someKey,
			"/signup?name=Carol&email=carol@example.com&password=a+long+enough+one",
			"/account", "/account/sessions", "/admin", "/admin/users/2", "/session", "/session/extend",
			"/account/password?current_password=" + alicesPassword + "&new_password=a+long+enough+one",
			"/account/email?current_password=" + alicesPassword + "&email=new@example.com",
			"/account/sessions/confirm?current_password=" + alicesPassword, "/account/sessions/revoke-others",
			"/account/sessions/" + s.handles("alice")[0] + "/revoke",
			"/admin/users/2/disable", "/admin/users/2/enable", "/admin/users/2/revoke-sessions",
			"/admin/sessions/revoke-all?current_password=" + adminsPassword,
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND"} {
				r := b.request(method, path)
				r.Header.Set("Sec-Fetch-Site", "cross-site")
				a := b.do(r)
				if a.StatusCode >= 500 || len(a.sets("session")) != 0 {
					t.Errorf("%s: %s, sets %v", a.what(), a.Status, a.sets("session"))
				}
			}
		}
	}
	s.unchanged(before, "a GET or a HEAD")
	if visitors[""].get("/").text("account-name") != "" {
		t.Error("a GET has signed the guest in")
	}
}

// X3: reading makes no rows.
func TestReadingMakesNoSessions(t *testing.T) {
	t.Parallel()
	s := open(t)
	before := s.picture()
	for i := range 2_000 {
		b := s.browser()
		r := b.request(http.MethodGet, "/cart")
		r.Header.Set("Accept-Encoding", "identity") // saves the test half its time
		switch i % 4 {
		case 1:
			r.Header.Set("Cookie", "session=bogus")
		case 2:
			r.Header.Set("Cookie", "session="+unknownTicket(i))
		case 3:
			r.URL.Path = "/login"
		}
		if a := b.do(r).is(http.StatusOK); len(a.Cookies()) != 0 {
			t.Fatalf("%s sets %v", a.what(), a.Cookies())
		}
	}
	s.unchanged(before, "reading")
}

func TestXRayOfAFormOfAnotherSiteSaysThatNobodyLooked(t *testing.T) {
	t.Parallel()
	s := open(t, demo)
	b := s.signedInAs("alice")
	r := b.form("/cart/items", "product", "camel-overcoat", "quantity", "1")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	a := b.do(r).is(http.StatusForbidden)
	if !strings.Contains(a.body, `id="xray"`) || !strings.Contains(a.body, "turned away before") || strings.Contains(a.body, "room-session") {
		t.Errorf("the X-ray is\n%s", a.body)
	}
}
