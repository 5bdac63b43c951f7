package web_test

import (
	"net/http"
	"testing"

	"coatcheck/internal/web"
)

func TestSignUpsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) {
		c.SignUpRate = 2
		c.TrustedProxies = []string{"127.0.0.1/32"}
	})
	signUp := func(address, email string) answer {
		b := s.browser()
		r := b.form("/signup", "name", "Carol", "email", email, "password", "a rail full of coats")
		r.Header.Set("X-Forwarded-For", address)
		return b.do(r)
	}
	signUp("192.0.2.1", "one@example.com").is(http.StatusSeeOther)
	signUp("192.0.2.1", "two@example.com").is(http.StatusSeeOther)
	users := s.number(`SELECT count(*) FROM users`)
	a := signUp("192.0.2.1", "three@example.com").is(http.StatusTooManyRequests).says("Too many accounts")
	if a.Header.Get("Retry-After") != "3600" || a.field("email") != "three@example.com" || a.field("name") != "Carol" {
		t.Errorf("Retry-After: %q, and the form says %q, %q", a.Header.Get("Retry-After"), a.field("name"), a.field("email"))
	}
	if n := s.number(`SELECT count(*) FROM users`); n != users {
		t.Errorf("%d accounts were opened beyond the limit", n-users)
	}
	signUp("192.0.2.2", "three@example.com").is(http.StatusSeeOther)
}

func TestCartWritesAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *web.Config) {
		c.CartRate = 3
		c.TrustedProxies = []string{"127.0.0.1/32"}
	})
	b := s.browser()
	b.add("camel-overcoat")
	b.add("camel-overcoat")
	b.post("/cart/items/camel-overcoat", "quantity", "1").is(http.StatusSeeOther)
	for _, path := range []string{"/cart/items", "/cart/items/camel-overcoat"} {
		a := b.post(path, "product", "camel-overcoat", "quantity", "5").is(http.StatusTooManyRequests)
		if a.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
		}
	}
	if n := b.get("/cart").is(http.StatusOK).pieces()["camel-overcoat"]; n != 1 {
		t.Errorf("the cart has %d after changes beyond the limit, want 1", n)
	}
	elsewhere := b.form("/cart/items", "product", "camel-overcoat", "quantity", "1")
	elsewhere.Header.Set("X-Forwarded-For", "192.0.2.2")
	b.do(elsewhere).is(http.StatusSeeOther)
}
