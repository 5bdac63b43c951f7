package web_test

import (
	"net/http"
	"strings"
	"testing"

	"coatcheck/internal/web"
)

// ASVS 3.4: on every answer, whatever went wrong.
func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		s := open(t, func(c *web.Config) { c.Secure = https })
		s.AddPanic("/panic")
		b := s.browser()
		answers := append(b.life(), b.get("/panic").is(http.StatusInternalServerError), b.get("/logout"),
			b.post("/cart/items", "product", "check-coat", "quantity", "4"))
		for range 11 {
			answers = append(answers, b.post("/login", "email", "bob@example.com", "password", "wrong"))
		}
		s.exec(`ALTER TABLE products RENAME TO gone`)
		answers = append(answers, b.get("/").is(http.StatusInternalServerError))
		s.db.Close()
		answers = append(answers, b.get("/").is(http.StatusServiceUnavailable), b.get("/readyz"))

		seen := map[int]bool{}
		for _, a := range answers {
			seen[a.StatusCode] = true
			a.checkSecurityHeaders(https)
		}
		for _, status := range []int{200, 303, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503} {
			if !seen[status] {
				t.Errorf("no answer was a %d", status)
			}
		}
	}
}

func (a answer) checkSecurityHeaders(https bool) {
	a.t.Helper()
	for header, want := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := a.Header.Values(header); len(got) != 1 || got[0] != want {
			a.t.Errorf("%s (%d): %s is %q, want %q", a.what(), a.StatusCode, header, got, want)
		}
	}
	policies := a.Header.Values("Content-Security-Policy")
	if len(policies) != 1 || strings.Contains(policies[0], "unsafe") || strings.Contains(policies[0], "*") {
		a.t.Errorf("%s (%d): the content security policy is %q", a.what(), a.StatusCode, policies)
	}
	policy := strings.Join(policies, "") + ";"
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, directive+";") {
			a.t.Errorf("%s (%d): %s is not in the content security policy %q", a.what(), a.StatusCode, directive, policy)
		}
	}
	strict := a.Header.Get("Strict-Transport-Security")
	if https != strings.HasPrefix(strict, "max-age=31536000") {
		a.t.Errorf("%s (%d): Strict-Transport-Security is %q", a.what(), a.StatusCode, strict)
	}
	caching := "no-store"
	if strings.HasPrefix(a.Request.URL.Path, "/static/") && a.StatusCode == http.StatusOK {
		caching = "public, max-age=31536000, immutable"
	}
	if got := a.Header.Get("Cache-Control"); got != caching {
		a.t.Errorf("%s (%d): Cache-Control is %q, want %q", a.what(), a.StatusCode, got, caching)
	}
	if a.body != "" && a.Header.Get("Content-Type") == "" {
		a.t.Errorf("%s (%d) has no Content-Type", a.what(), a.StatusCode)
	}
}

// ASVS 3.3.1 to 3.3.3
func TestCookiesAreHeldTight(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		s := open(t, func(c *web.Config) { c.Secure = https })
		prefix := ""
		if https {
			prefix = "__Host-"
		}
		seen := map[string]bool{}
		for _, a := range s.browser().life() {
			for _, c := range a.Cookies() {
				seen[c.Name] = true
				if !c.HttpOnly || c.Secure != https || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Unparsed) != 0 {
					t.Errorf("%s sets %s", a.what(), c)
				}
			}
			for _, c := range a.sets("session") {
				if c.MaxAge > 0 || !c.Expires.IsZero() {
					t.Errorf("%s sets a session cookie that outlives the browser: %s", a.what(), c)
				}
				if c.Value != "" && len(c.Value) != 43 {
					t.Errorf("%s sets an ID of %d letters", a.what(), len(c.Value))
				}
			}
		}
		if len(seen) != 2 || !seen[prefix+"session"] || !seen[prefix+"notice"] {
			t.Errorf("the cookies are %v, want %ssession and %snotice", seen, prefix, prefix)
		}
	}
}

// A cookie that a plain-http page could have planted is no ticket over HTTPS.
func TestUnprefixedCookieIsIgnoredOverHTTPS(t *testing.T) {
	t.Parallel()
	s := open(t, secure)
	alice := s.signedInAs("alice")
	alice.get("/orders").is(http.StatusOK)
	other := s.browser()
	r := other.request(http.MethodGet, "/orders")
	r.Header.Set("Cookie", "session="+alice.ticket())
	other.do(r).leadsTo("/login?next=%2Forders")
}

// ASVS 16.5: what went wrong is for the log, not for the visitor.
func TestErrorsTellVisitorsNothingInside(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.AddPanic("/panic")
	b := s.browser()
	s.exec(`ALTER TABLE products RENAME TO gone`)
	for _, a := range []answer{b.get("/panic"), b.get("/"), b.post("/cart/items", "product", "camel-overcoat", "quantity", "1")} {
		a.is(http.StatusInternalServerError)
		for _, inside := range []string{"hanger\n", "goroutine", ".go:", "SQLSTATE", "relation", "products does", "panic"} {
			if strings.Contains(a.body, inside) {
				t.Errorf("%s shows %q", a.what(), inside)
			}
		}
		_, rest, _ := strings.Cut(a.body, "<code>")
		number, _, _ := strings.Cut(rest, "</code>")
		if number == "" || !strings.Contains(s.log.String(), "msg=failed request="+number) {
			t.Errorf("%s: the number %q leads to no line of the log", a.what(), number)
		}
	}
}

func TestWrongMethodIsToldTheRightOnes(t *testing.T) {
	t.Parallel()
	b := open(t).browser()
	for path, allow := range map[string]string{
		"/logout":                    "POST",
		"/cart/items":                "POST",
		"/cart/items/camel-overcoat": "POST",
		"/":                          "GET, HEAD",
		"/orders":                    "GET, HEAD",
		"/healthz":                   "GET, HEAD",
		"/login":                     "GET, HEAD, POST",
	} {
		for _, method := range []string{http.MethodDelete, http.MethodPut, http.MethodPatch} {
			a := b.do(b.request(method, path)).is(http.StatusMethodNotAllowed)
			if got := a.Header.Values("Allow"); len(got) != 1 || got[0] != allow {
				t.Errorf("%s allows %q, want %q", a.what(), got, allow)
			}
		}
	}
	b.do(b.request(http.MethodHead, "/logout")).is(http.StatusMethodNotAllowed)
}

func TestHEADIsGETWithoutABody(t *testing.T) {
	t.Parallel()
	b := open(t).browser()
	for _, path := range []string{"/", "/cart", "/nowhere", b.asset(), "/healthz"} {
		plain := func(method string) answer {
			r := b.request(method, path)
			r.Header.Set("Accept-Encoding", "identity")
			return b.do(r)
		}
		get, head := plain(http.MethodGet), plain(http.MethodHead).is(plain(http.MethodGet).StatusCode)
		if head.body != "" || head.ContentLength != get.ContentLength || int(get.ContentLength) != len(get.body) {
			t.Errorf("%s: %d bytes and a Content-Length of %d; GET has %d and %d",
				head.what(), len(head.body), head.ContentLength, len(get.body), get.ContentLength)
		}
		if head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
			t.Errorf("%s: Content-Type is %q", head.what(), head.Header.Get("Content-Type"))
		}
	}
}
