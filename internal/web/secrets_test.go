package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// unknownTicket has the shape of an ID and names no session.
func unknownTicket(i int) string {
	b := sha256.Sum256(fmt.Append(nil, i))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// A life is what a visitor may do in the shop, one answer after the other.
func (b *browser) life() []answer {
	all := []answer{
		b.get("/"), b.add("camel-overcoat"), b.get("/cart"), b.get("/checkout"),
		b.post("/login", "email", "alice@example.com", "password", "a wrong guess"),
		b.signIn("alice"), b.get("/orders"), b.get("/nowhere"), b.post("/orders"), b.get("/checkout"),
		b.buy("short"), b.buy(someKey), b.get("/orders/1001"), b.post("/cart/items"),
		b.do(b.body("/cart/items", strings.Repeat("x", 1<<20))), b.do(b.request(http.MethodPost, "/cart/items")),
	}
	foreign := b.form("/logout")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	all = append(all, b.do(foreign), b.get("/static/none.css"), b.get(b.asset()), b.get("/healthz"), b.get("/readyz"),
		b.get("/account"), b.changePassword("a wrong guess", newPassword), b.changePassword(alicesPassword, newPassword), b.get("/account"),
		b.post("/account/email", "current_password", newPassword, "email", "alice@example.com"), b.get("/account/sessions"),
		b.post("/account/sessions/revoke-others"), b.get("/session"), b.post("/session/extend"), b.get("/admin"),
		b.post("/logout"), b.get("/"), b.get("/orders"), b.get("/account"), b.get("/session"))
	return append(all, b.signIn("admin"), b.get("/admin"), b.get("/admin/users/1"), b.post("/admin/users/1/revoke-sessions"), b.get("/admin/users/1"),
		b.post("/admin/sessions/revoke-all", "current_password", "a wrong guess"), b.post("/admin/sessions/revoke-all", "current_password", adminsPassword),
		b.get("/admin"), b.post("/logout"))
}

// asset is the address of the shop's style.
func (b *browser) asset() string {
	_, rest, _ := strings.Cut(b.get("/").body, `rel="stylesheet" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	return address
}

// ASVS 3.3.4
func TestIDAppearsInSetCookieAlone(t *testing.T) {
	t.Parallel()
	answers := open(t).browser().life()
	var ids []string
	for _, a := range answers {
		for _, c := range a.sets("session") {
			if c.Value != "" {
				ids = append(ids, c.Value)
			}
		}
	}
	if len(ids) != 6 {
		t.Fatalf("a life has %d IDs, want one for the guest, three for Alice, and two for the administrator", len(ids))
	}
	for _, a := range answers {
		a.Header.Del("Set-Cookie")
		said := fmt.Sprint(a.Header, a.Trailer, a.body)
		for _, id := range ids {
			if hash := hex.EncodeToString(key(id)); strings.Contains(said, id) || strings.Contains(said, hash) {
				t.Errorf("%s tells a session's ID, or its hash", a.what())
			}
		}
	}
}

// ASVS 16
func TestLogTellsNoSecret(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	var secrets []string
	for _, a := range b.life() {
		for _, c := range a.sets("session") {
			if c.Value != "" {
				secrets = append(secrets, c.Value, hex.EncodeToString(key(c.Value)))
			}
		}
	}
	b.hold(unknownTicket(1))
	b.get("/orders")
	b.get("/login?next=/orders&password=in-the-address")
	b.hold("malformed-but-perhaps-a-cut-off-secret")
	b.get("/orders")
	b.post("/signup", "name", "Carol", "email", "carol@example.com", "password", "password-of-carol")
	s.exec(`ALTER TABLE sessions RENAME TO gone`) // an error that Postgres words
	b.hold(unknownTicket(2))
	b.get("/orders").is(http.StatusInternalServerError)
	s.exec(`ALTER TABLE gone RENAME TO sessions`)

	secrets = append(secrets, alicesPassword, newPassword, adminsPassword, "a wrong guess", "in-the-address", "perhaps-a-cut-off", "password-of-carol",
		unknownTicket(1), unknownTicket(2), "alice@example.com", "carol@example.com", "Rail Road")
	log := s.log.String()
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q in it", secret)
		}
	}
}

func TestNobodyWritesALineOfTheLog(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	const forged = "time=2026-03-14T09:00:00Z level=INFO msg=\"signed in\" user=1"
	b.get("/x%0d%0a" + strings.ReplaceAll(forged, " ", "%20"))
	b.get("/products/%0a" + strings.ReplaceAll(forged, " ", "%20"))
	for _, sent := range []string{"\n" + forged, "\r\n" + forged, "\u2028" + forged, "\x1b[2J" + forged} {
		b.post("/login", "email", sent, "password", sent, "next", sent)
		b.post("/signup", "email", sent, "name", sent, "password", sent)
		b.post("/cart/items", "product", sent, "quantity", sent)
	}
	r := b.request(http.MethodGet, "/")
	r.Header.Set("User-Agent", forged)
	r.Header.Set("X-Request-Id", "chosen by the client")
	r.Header.Set("Referer", forged)
	b.do(r)
	if strings.Contains(s.log.String(), "chosen by the client") {
		t.Error("a request's name in the log is the client's choice")
	}
	for line := range strings.Lines(s.log.String()) {
		if strings.HasPrefix(line, "time=2026-03-14T09:00:00Z") || strings.ContainsAny(line, "\r\x1b\u2028") || !strings.HasPrefix(line, "time=") {
			t.Errorf("this line of the log is forged: %q", line)
		}
	}
}

// ASVS 16.3: what matters is logged, once each.
func TestSignInsFailuresAndSignOutsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	b := s.browser()
	b.add("camel-overcoat")
	b.post("/login", "email", "alice@example.com", "password", "wrong")
	b.signIn("alice")
	b.get("/orders")
	b.post("/logout")
	b.post("/logout")
	for range 10 {
		b.post("/login", "email", "bob@example.com", "password", "wrong")
	}
	b.post("/login", "email", "bob@example.com", "password", "wrong")
	b.post("/signup", "name", "Carol", "email", "carol@example.com", "password", "a long enough one")
	for message, want := range map[string]int{
		"session began": 1, "session moved": 1, "session ended": 1, "signed in": 1, "signed out": 1,
		"sign-in failed": 11, "sign-in throttled": 1, "signed up": 1, "request": 18,
	} {
		if got := s.log.count(message); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", message, got, want, s.log)
		}
	}
}
