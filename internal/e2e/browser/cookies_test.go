package browser_test

import (
	"context"
	"io"
	"log"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
)

// ASVS 3.3: the ticket as the browser keeps it.
func TestNoScriptCanReadTheTicket(t *testing.T) {
	t.Parallel()
	alice := arrive(t, open(t))
	alice.follow("Sign in")
	alice.signIn("alice")
	alice.is("Alice", "0")

	if seen := ask[string](alice, `document.cookie`); seen != "" {
		t.Errorf("a script can read %q", seen)
	}
	ticket := alice.ticket("session")
	if !ticket.HTTPOnly || ticket.SameSite != network.CookieSameSiteLax || !ticket.Session || ticket.Path != "/" || len(ticket.Value) < 22 {
		t.Errorf("the ticket is %+v", ticket)
	}
	alice.press("Sign out")
	if left := alice.ticket("session"); left.Value != "" {
		t.Error("after the sign-out the browser still has a ticket")
	}
}

// Behind a proxy that speaks HTTPS, Chromium takes the __Host- cookies and
// believes that the shop's forms are its own.
func TestSignInOverHTTPS(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewUnstartedServer(nil)
	address := "https://" + proxy.Listener.Addr().String()
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "SHOP_DEMO=true", "SHOP_PUBLIC_URL="+address)
	behind, err := url.Parse(shop.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy.Config.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
	proxy.Config.ErrorLog = log.New(io.Discard, "", 0) // Chromium tries before it trusts
	proxy.StartTLS()
	t.Cleanup(proxy.Close)

	alice := sitDown(t, address)
	alice.trustAnyone()
	alice.visit("/")
	alice.take("Camel Overcoat")
	alice.follow("Sign in")
	alice.signIn("alice")
	alice.is("Alice", "1")
	if ticket := alice.ticket("__Host-session"); !ticket.Secure || !ticket.HTTPOnly {
		t.Errorf("the ticket is %+v", ticket)
	}
	alice.press("Sign out")
	alice.is("", "0")
	alice.untroubled()
}

// ticket is the cookie of that name; an empty one if there is none.
func (p *person) ticket(name string) network.Cookie {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	found, err := chromedp.Call(ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range found.Cookies {
		if c.Name == name {
			return *c
		}
	}
	return network.Cookie{}
}

// trustAnyone makes the browser take the test's own certificate.
func (p *person) trustAnyone() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
	if err != nil {
		p.t.Fatal(err)
	}
}
