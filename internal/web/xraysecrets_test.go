package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// writings are an ID and its hash, however written.
func writings(id string) []string {
	hash := sha256.Sum256([]byte(id))
	return []string{
		id, hex.EncodeToString(hash[:]), strings.ToUpper(hex.EncodeToString(hash[:])),
		base64.RawURLEncoding.EncodeToString(hash[:]), base64.RawStdEncoding.EncodeToString(hash[:]),
	}
}

// xrays is all of the answer that is an X-ray: the foot of the page, the pages
// of X-rays as a whole, and the header.
func (a answer) xrays() string {
	a.t.Helper()
	shown := a.panel()
	if strings.HasPrefix(a.Request.URL.Path, "/xray") {
		shown = a.body
	}
	header, err := json.Marshal(a.xray())
	if err != nil {
		a.t.Error(err)
	}
	return shown + string(header)
}

// tour looks at all X-rays that the browser may see.
func (b *browser) tour() (all []answer) {
	page := b.get("/xray")
	list, _, _ := strings.Cut(page.body, `<aside class="xray"`) // which lists them again
	all = append(all, page)
	for _, link := range strings.Split(list, `<a href="/xray/`)[1:] {
		number, _, _ := strings.Cut(link, `"`)
		all = append(all, b.get("/xray/"+number).is(http.StatusOK))
	}
	return all
}

// misplaced puts a session's ID where it does not belong.
func (b *browser) misplaced(id string) (all []answer) {
	b.t.Helper()
	for _, r := range []*http.Request{
		b.request(http.MethodGet, "/"+id), b.request(http.MethodGet, "/products/"+id), b.request(http.MethodGet, "/products/%2F"+id+"%2F"),
		b.request(http.MethodGet, "/x/session="+id), b.request(http.MethodGet, "/?session="+id), b.request(http.MethodGet, "/orders?next=/"+id),
		b.request(http.MethodGet, "/xray/"+id), b.request(http.MethodGet, "/"+hex.EncodeToString(key(id))), b.request(id, "/"),
		b.request(http.MethodPost, "/account/sessions/"+id+"/revoke"),
		b.form("/cart/items", "product", id, "quantity", id), b.form("/login", "email", id, "password", id, "next", "/"+id),
		b.form("/signup", "email", id, "password", id, "name", id),
	} {
		r.Header.Set("User-Agent", id)
		r.Header.Set("Referer", b.shop.server.URL+"/"+id)
		r.Header.Set("X-Session", id)
		r.AddCookie(&http.Cookie{Name: "other", Value: id})
		r.AddCookie(&http.Cookie{Name: "notice", Value: id})
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: id})
		r.AddCookie(&http.Cookie{Name: "xray", Value: id})
		all = append(all, b.do(r))
	}
	for _, cookies := range []string{"session=" + id + "x", "session=x" + id, "session=" + id + "; session=" + id, "__Host-session=" + id, "xray=" + id} {
		r := b.shop.browser().asks(nil).request(http.MethodGet, "/")
		r.Header.Set("Cookie", cookies)
		all = append(all, b.shop.browser().asks(nil).do(r))
	}
	return all
}

// X22
func TestXRayTellsNoSecret(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	b := s.browser().asks(nil)
	answers := b.life()
	b.add("camel-overcoat")
	answers = append(answers, b.tour()...)
	answers = append(answers, b.signInWith(newPassword), b.get("/orders"))
	answers = append(answers, b.misplaced(b.ticket())...)
	answers = append(answers, b.tour()...)
	answers = append(answers, b.changePassword(newPassword, alicesPassword))
	s.clock.advance(stale)
	answers = append(answers, b.post("/account/sessions/confirm", "current_password", alicesPassword), b.get("/account/sessions"),
		b.post("/signup", "name", "Carol", "email", "carol@example.com", "password", "password-of-carol"))
	answers = append(answers, b.tour()...)
	answers = append(answers, b.post("/logout"), b.get("/"))

	secrets := []string{alicesPassword, newPassword, adminsPassword, "a wrong guess", "password-of-carol"}
	ids := 0
	for _, a := range answers {
		for _, c := range append(a.sets("session"), a.sets("xray")...) {
			if c.Value != "" {
				ids++
				secrets = append(secrets, writings(c.Value)...)
			}
		}
	}
	if ids < 12 {
		t.Errorf("only %d secrets of cookies are looked for", ids)
	}
	pages, headers := 0, 0
	for _, a := range answers {
		shown := a.xrays()
		for _, secret := range secrets {
			if strings.Contains(shown, secret) {
				t.Errorf("%s has %q on its X-ray", a.what(), secret)
			}
		}
		for _, c := range a.sets("session") {
			if c.Value != "" && !strings.Contains(shown, "session="+c.Value[:6]+"…") {
				t.Errorf("%s does not show the beginning of the ticket that it sends", a.what())
			}
		}
		if a.panel() != "" {
			pages++
		}
		if a.xray() != nil {
			headers++
		}
	}
	if pages < 50 || headers < 70 {
		t.Errorf("only %d pages and %d headers were looked at", pages, headers)
	}
}

const script = `<script>alert(1)</script>`

// 3.2.2: what a client sends is shown as text, and in no more of it than is
// needed.
func TestXRayShowsHostileTextAsText(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	b := s.browser().asks(nil)
	b.add("camel-overcoat")
	scripts := strings.Count(b.get("/nowhere").body, "<script")
	long := strings.Repeat("/%22%3E%3Cb%20x='", 1500)
	paths := []string{
		"/%3Cscript%3Ealert(1)%3C/script%3E", "/%22%20onload=%22alert(1)", "/%3C!--", "/%3C/details%3E%3C/aside%3E", "/'%22%60%26lt;", "/%00%ff%0d%0a%e2%80%a8",
		"/%3Cscript%3E" + strings.Repeat("x", 5000), long,
	}
	var answers []answer
	for _, path := range paths {
		answers = append(answers, b.get(path))
	}
	for _, cookie := range []string{"session=" + script, "session=<scri", `session="<b>"`, "xray=" + script, "session=" + strings.Repeat("<", 20_000), "session=" + script + "; session=" + script} {
		r := s.browser().request(http.MethodGet, "/nowhere")
		r.Header.Set("Cookie", cookie)
		answers = append(answers, s.browser().asks(nil).do(r))
	}
	answers = append(answers, b.get("/nowhere"))
	answers = append(answers, b.tour()...)
	if len(answers) != len(paths)+6+1+1+10 {
		t.Errorf("only %d answers came", len(answers))
	}
	for _, a := range answers {
		what := a.what()[:min(60, len(a.what()))]
		if n := strings.Count(a.body, "<script"); n > scripts || !strings.HasSuffix(strings.TrimSpace(a.body), "</html>") || strings.Count(a.body, "</details>") != 1 || strings.Count(a.body, "<!--") != 0 {
			t.Errorf("%s (%d) is broken, with %d scripts:\n%s", what, a.StatusCode, n, a.body)
		}
		for _, markup := range []string{"<b ", "<b>", `" onload`, "<scri<", "<scri…"} {
			if strings.Contains(a.body, markup) {
				t.Errorf("%s has %s in it", what, markup)
			}
		}
		if strings.Contains(a.panel(), strings.Repeat("x", 50)) || strings.Contains(a.panel(), strings.Repeat("&lt;", 50)) || len(a.panel()) > 20_000 || len(fmt.Sprint(a.Header)) > 10_000 {
			t.Errorf("%s shows a long text whole: %d bytes of a panel, %d of headers", what, len(a.panel()), len(fmt.Sprint(a.Header)))
		}
	}
}
