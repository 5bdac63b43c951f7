package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A route is an address that forms are sent to, with a form that it takes.
type route struct {
	path   string
	fields []string
	needs  string // whose browser it takes: alice's, the admin's, or a guest's if it is empty
}

// posts lists every POST of the shop. Each form may be sent again and again.
// Bob is user 2.
var posts = []route{
	{"/cart/items", []string{"product", "navy-peacoat", "quantity", "1"}, ""},
	{"/cart/items/camel-overcoat", []string{"quantity", "2"}, ""},
	{"/login", []string{"email", "bob@example.com", "password", "coat-check-bob", "next", "/cart"}, ""},
	{"/signup", []string{"name", "Carol", "email", "carol@example.com", "password", "a long enough one"}, ""},
	{"/checkout", []string{"name", "Alice", "address", "1 Rail Road", "order_key", someKey}, "alice"},
	{"/account/password", []string{"current_password", alicesPassword, "new_password", alicesPassword}, "alice"},
	{"/account/email", []string{"current_password", alicesPassword, "email", "alice@example.com"}, "alice"},
	{"/account/sessions/confirm", []string{"current_password", alicesPassword}, "alice"},
	{"/account/sessions/revoke-others", []string{"current_password", alicesPassword}, "alice"},
	{"/account/sessions/AAAAAAAAAAAA/revoke", []string{"current_password", alicesPassword}, "alice"},
	{"/admin/users/2/disable", nil, "admin"},
	{"/admin/users/2/enable", nil, "admin"},
	{"/admin/users/2/revoke-sessions", nil, "admin"},
	{"/admin/sessions/revoke-all", []string{"current_password", adminsPassword}, "admin"},
	{"/session/extend", nil, "alice"},
	{"/logout", nil, "alice"},
}

// visitors gives browsers with an overcoat in each one's cart.
func (s *shop) visitors() map[string]*browser {
	visitors := map[string]*browser{"": s.browser(), "alice": s.signedInAs("alice"), "admin": s.signedInAs("admin")}
	for _, b := range visitors {
		b.add("camel-overcoat")
	}
	return visitors
}

// Whoever adds a route adds it to posts, too.
func TestPostsListsEveryPost(t *testing.T) {
	t.Parallel()
	var listed []string
	s := open(t)
	for _, to := range posts {
		if pattern := s.Pattern(http.MethodPost, to.path); pattern == "" {
			t.Errorf("there is no POST %s", to.path)
		} else {
			listed = append(listed, pattern)
		}
	}
	for _, pattern := range s.Posts() {
		if !slices.Contains(listed, pattern) {
			t.Errorf("posts lacks %s", pattern)
		}
	}
}

func TestBadQuantitiesAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	guest := s.visitors()[""]
	before := s.picture()
	for _, quantity := range []string{"-1", "21", "1000000000", "3000000000", "99999999999999999999", "abc", "", "1.5", "1e1", "0x2", "２", "1 2", "1\x00", "\xff"} {
		for _, r := range []route{posts[0], posts[1]} {
			guest.post(r.path, "product", "camel-overcoat", "quantity", quantity).is(http.StatusUnprocessableEntity)
		}
	}
	guest.post("/cart/items", "product", "camel-overcoat", "quantity", "0").is(http.StatusUnprocessableEntity)
	guest.post("/cart/items", "product", "camel-overcoat").is(http.StatusUnprocessableEntity).says("whole number")
	guest.post("/cart/items", "product", "camel-overcoat", "quantity", "20").is(http.StatusUnprocessableEntity).says("more than 20")
	guest.post("/cart/items", "product", "check-coat", "quantity", "4").is(http.StatusConflict).says("not have that many")
	guest.post("/cart/items/check-coat", "quantity", "4").is(http.StatusConflict)
	guest.post("/cart/items", "product", "shearling-jacket", "quantity", "1").is(http.StatusConflict) // sold out
	for _, nothing := range []string{"", "no-such-coat", "Camel-Overcoat", "camel-overcoat ", "' OR true --", strings.Repeat("x", 10_000)} {
		guest.post("/cart/items", "product", nothing, "quantity", "1").is(http.StatusUnprocessableEntity)
	}
	guest.post("/cart/items/no-such-coat", "quantity", "1").is(http.StatusNotFound)
	s.unchanged(before, "a bad quantity")

	guest.post("/cart/items", "product", "felt-fedora", "quantity", " 2 ").leadsTo("/cart") // spaces do no harm
}

// What strangers see alike is kept, and what one of them has done wrong is not.
func TestStrangersMistakeIsShownToThemAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.listening()
	clean := s.browser().get("/products/check-coat").is(http.StatusOK).body
	for range 2 {
		s.browser().post("/cart/items", "product", "check-coat", "quantity", "4").is(http.StatusConflict).says("We do not have that many.")
		if again := s.browser().get("/products/check-coat").is(http.StatusOK).body; again != clean {
			t.Errorf("after that, another stranger sees:\n%s", again)
		}
	}
	other := s.browser().get("/products/navy-peacoat").is(http.StatusOK).body
	if !strings.Contains(other, "/login?next=%2fproducts%2fnavy-peacoat") || strings.Contains(other, "check-coat") {
		t.Errorf("of another product, a stranger sees:\n%s", other)
	}
}

// The products that are known may be older than what is in a cart.
func TestCartShowsWhatIsNewerThanTheKnownProducts(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.listening()() // and from now on it hears of nothing, while the clock stands still
	guest := s.browser()
	guest.add("camel-overcoat")
	s.exec(`INSERT INTO products (slug, name, category, description, price_cents, stock) VALUES ('opera-cape', 'Opera cape', 'Coats', '', 100, 5)`)
	s.exec(`INSERT INTO cart_items SELECT cart_id, (SELECT id FROM products WHERE slug = 'opera-cape'), 1 FROM cart_items`)
	page := guest.get("/cart").is(http.StatusOK).body
	for _, slug := range []string{"camel-overcoat", "opera-cape"} {
		if !strings.Contains(page, `data-product="`+slug+`"`) {
			t.Errorf("the cart does not show %s", slug)
		}
	}
}

// A visitor without a session gets none for a bad request.
func TestBadAdditionBeginsNoSession(t *testing.T) {
	t.Parallel()
	s := open(t)
	before := s.picture()
	guest := s.browser()
	guest.post("/cart/items", "product", "no-such-coat", "quantity", "1").is(http.StatusUnprocessableEntity)
	guest.post("/cart/items", "product", "camel-overcoat", "quantity", "21").is(http.StatusUnprocessableEntity)
	guest.post("/cart/items", "product", "shearling-jacket", "quantity", "1").is(http.StatusConflict)
	s.unchanged(before, "a bad addition")
}

func TestWhatIsNoFormIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s := open(t)
	visitors := s.visitors()
	s.clock.advance(stale) // so that the password is read where it is asked for again
	for _, b := range visitors {
		b.get("/")
	}
	before := s.picture()
	for _, to := range posts {
		if to.fields == nil {
			continue // reads no form
		}
		b := visitors[to.needs]
		good := b.form(to.path, to.fields...)
		good.ParseForm()
		body := good.PostForm.Encode()

		b.do(b.body(to.path, body+"&more="+strings.Repeat("x", 1<<20))).is(http.StatusRequestEntityTooLarge)
		b.do(b.body(to.path, body+"&broken=%zz")).is(http.StatusBadRequest)
		b.do(b.body(to.path, body+";")).is(http.StatusBadRequest)
		for i := 0; i < len(to.fields); i += 2 {
			b.do(b.body(to.path, body+"&"+to.fields[i]+"="+to.fields[i+1])).is(http.StatusUnprocessableEntity) // twice
			for _, noText := range []string{"\x00", "Alice\x00", "\xff\xfe", "a\xc3("} {
				fields := append([]string(nil), to.fields...)
				fields[i+1] = noText
				b.post(to.path, fields...).is(http.StatusUnprocessableEntity)
			}
		}
		for _, contentType := range []string{"", "text/plain", "application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded; =", "\xff"} {
			r := b.body(to.path, body)
			r.Header.Set("Content-Type", contentType)
			b.do(r).is(http.StatusUnsupportedMediaType)
		}
		b.do(b.body(to.path+"?"+body, "")).notOK() // the address is no form
	}
	// An empty sign-in is a failed one: it is counted, and on record.
	s.exec(`DELETE FROM sign_in_failures`)
	s.exec(`DELETE FROM session_events WHERE kind = 'sign-in refused'`)
	s.unchanged(before, "what is no form")
}

// notOK expects a refusal that is the visitor's fault.
func (a answer) notOK() answer {
	a.t.Helper()
	if a.StatusCode < 400 || a.StatusCode > 499 {
		a.t.Errorf("%s: %s, want a 4xx", a.what(), a.Status)
	}
	return a
}

func TestOddAddressesAreNotFound(t *testing.T) {
	t.Parallel()
	s := open(t)
	alice := s.visitors()["alice"]
	before := s.picture()
	for _, path := range []string{
		"/products/", "/products/%00", "/products/%ff", "/products/%2e%2e", "/products/camel-overcoat/", "/products/a%2Fb", "/products/" + strings.Repeat("x", 5_000),
		"/orders/abc", "/orders/0", "/orders/-1", "/orders/%00", "/orders/1e3", "/orders/999999999999999999999", "/orders/1001%20",
		"/static/", "/static/../go.mod", "/static/%2e%2e/go.mod", "/static/embed.go", "/static/shop.css", "/static/products/",
		"/%0d%0aSet-Cookie:%20session=evil", "/.git/config",
	} {
		r := alice.request(http.MethodGet, "/")
		r.URL.Opaque = path // as it is, not as the client would write it
		alice.do(r).is(http.StatusNotFound)
	}
	for _, path := range []string{"/cart/items/%00", "/cart/items/%ff", "/cart/items/x%2Fy"} {
		alice.post(path, "quantity", "1").is(http.StatusNotFound)
	}
	s.unchanged(before, "an odd address")
}

// X6, on a server that takes large headers and on one like the shop's.
func TestOversizeCookiesAreHarmless(t *testing.T) {
	t.Parallel()
	s := open(t)
	before := s.picture()
	small := httptest.NewUnstartedServer(s)
	small.Config.MaxHeaderBytes = 32 << 10
	small.Start()
	defer small.Close()
	for _, size := range []int{1, 42, 44, 4 << 10, 100 << 10, 900 << 10} {
		b := s.browser()
		r := b.request(http.MethodGet, "/")
		r.Header.Set("Cookie", "session="+strings.Repeat("A", size))
		b.do(r).is(http.StatusOK)
	}
	r := s.browser().request(http.MethodGet, "/")
	r.URL.Host = strings.TrimPrefix(small.URL, "http://")
	r.Header.Set("Cookie", "session="+strings.Repeat("A", 100<<10))
	s.browser().do(r).is(http.StatusRequestHeaderFieldsTooLarge)
	s.unchanged(before, "a large cookie")
}

func TestOddNoticesSayNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, value := range []string{"", "evil", "<script>", "Added", strings.Repeat("x", 10_000)} {
		b := s.browser()
		r := b.request(http.MethodGet, "/")
		r.Header.Set("Cookie", "notice="+value)
		if a := b.do(r).is(http.StatusOK); a.message() != "" {
			t.Errorf("the notice %q says %q", value, a.message())
		}
	}
}

// ASVS 3.7.2
func TestNextStaysOnTheSite(t *testing.T) {
	t.Parallel()
	s := open(t)
	for next, want := range map[string]string{
		"":                              "/",
		"/orders":                       "/orders",
		"/orders?a=1&b=2#c":             "/orders?a=1&b=2#c",
		"/products/camel-overcoat":      "/products/camel-overcoat",
		"orders":                        "/",
		"//evil.example":                "/",
		"///evil.example":               "/",
		`/\evil.example`:                "/",
		`\\evil.example`:                "/",
		`/a\..\\evil.example`:           "/",
		"https:evil.example":            "/",
		"https://evil.example":          "/",
		"HTTPS://evil.example/":         "/",
		"javascript:alert(1)":           "/",
		"data:text/html,x":              "/",
		"%2f%2fevil.example":            "/",
		"/%2f%2fevil.example":           "/",
		"/%2Fevil.example":              "/",
		"/%2F/evil.example":             "/",
		"/%5Cevil.example":              "/%5Cevil.example", // a name on this site: browsers do not decode it
		"/\tevil":                       "/",
		"/\t/evil.example":              "/",
		"/\n/evil.example":              "/",
		"\t//evil.example":              "/",
		" //evil.example":               "/",
		"/\r\nSet-Cookie: session=evil": "/",
		"/\x7f/evil.example":            "/",
		"/.//evil.example":              "/evil.example", // ours, once the dot is resolved
		"/..//evil.example":             "/evil.example",
		"/login":                        "/",
		"/login?next=/login":            "/",
		"/%6Cogin":                      "/",
		"/signup":                       "/",
		"/logout":                       "/",
	} {
		for _, leads := range []answer{
			s.browser().post("/login", "email", "alice@example.com", "password", "coat-check-alice", "next", next),
			s.signedInAs("bob").get("/login?" + url.Values{"next": {next}}.Encode()),
		} {
			leads.leadsTo(want)
			to, err := leads.Location()
			if err != nil || to.Host != leads.Request.URL.Host || to.Scheme != "http" {
				t.Errorf("next=%q leads to %v, %v", next, to, err)
			}
		}
		form := s.browser().get("/login?" + url.Values{"next": {next}}.Encode()).field("next")
		if strings.HasPrefix(form, "//") || strings.Contains(form, "\\") || strings.Contains(form, ":") {
			t.Errorf("next=%q is handed on as %q", next, form)
		}
	}
	long := "/products/" + strings.Repeat("x", 20_000)
	s.browser().post("/login", "email", "alice@example.com", "password", "coat-check-alice", "next", long).leadsTo(long)
}
