package xray_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

func wantIn(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in %q", w, text)
		}
	}
}

var unknown = strings.Repeat("A", 43) // has the shape of an ID

func TestTicketThatOpensNothingIsTold(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, c := range []struct {
		cookie string
		want   sessions.Ticket
		start  string
		calls  []string
		says   string // in a line
		words  string // of the ticket
	}{
		{"", sessions.TicketNone, "", nil, "no ticket · nothing to look up · no round trips", "You carry none"},
		{"session=" + unknown, sessions.TicketUnknown, "AAAAAA", []string{"load, not found"}, "ticket AAAAAA… · it opened nothing · 1 round trip", "no coat hangs there"},
		{"session=" + unknown + "A", sessions.TicketMalformed, "AAAAAA", nil, "ticket AAAAAA… · it opened nothing · no round trips", "refused without a look-up"},
		{"session=x", sessions.TicketMalformed, "x", nil, "ticket x… · it opened nothing · no round trips", "refused without a look-up"},
		{"session=" + unknown + "; session=" + unknown, sessions.TicketRepeated, "", nil, "several tickets · it opened nothing · no round trips", "none of them counts"},
	} {
		a := s.serve(s.request(http.MethodGet, "/", c.cookie), look)
		s.wantHeard(a)
		if a.Ticket.State != c.want.String() || a.Ticket.Start != c.start || !slices.Equal(a.calls(), c.calls) || a.Found != nil || a.After != nil {
			t.Errorf("%q: %+v", c.cookie, a.Exchange)
		}
		panel := xray.NewPanel(a.Exchange, s.clock.Now())
		if says := panel.Summary(); says != c.says {
			t.Errorf("%q: it says %q, want %q", c.cookie, says, c.says)
		}
		wantIn(t, panel.Carried(), c.words)
		wantIn(t, panel.Nothing(), "No ticket")
	}
}

// The ticket's cookie has one name over https and another one without. The
// other name means nothing to the session, nor to its X-ray.
func TestCookieOfTheOtherNameIsNoTicket(t *testing.T) {
	t.Parallel()
	for other, secure := range map[string]bool{"session": true, "__Host-session": false} {
		s := openShopWith(t, secure)
		planted := other + "=" + unknown
		a := s.serve(s.request(http.MethodGet, "/", planted), look)
		if a.Ticket != (xray.Ticket{State: "none"}) {
			t.Errorf("%s is taken for a ticket: %+v", other, a.Ticket)
		}
		v := s.arrives(sessions.Refs{CartID: 1})
		r := v.request("/")
		r.Header.Set("Cookie", planted+"; "+r.Header.Get("Cookie"))
		if a := s.serve(r, look); a.Ticket.State != "live" || a.Ticket.Start != v.id[:6] {
			t.Errorf("beside %s the ticket is %+v", other, a.Ticket)
		}
	}
}

func TestFlagsAreThoseOfTheLine(t *testing.T) {
	t.Parallel()
	keep := func(s *shop, w http.ResponseWriter, r *http.Request) error {
		return s.SignIn(w, r, sessions.Refs{UserID: 1}, true)
	}
	for _, c := range []struct {
		secure bool
		do     act
		flags  []string
	}{
		{false, begin(sessions.Refs{CartID: 1}), []string{"no Max-Age", "HttpOnly", "no Secure", "SameSite=Lax", "Path=/", "no Domain"}},
		{true, begin(sessions.Refs{CartID: 1}), []string{"no Max-Age", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "no Domain"}},
		{true, keep, []string{"Max-Age=2592000", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "no Domain"}},
	} {
		s := openShopWith(t, c.secure)
		a := s.visitor().must(c.do)
		var flags []string
		for _, f := range a.Cookies[0].Flags() {
			flags = append(flags, f.Name)
		}
		if !slices.Equal(flags, c.flags) {
			t.Errorf("the flags are %q, want %q", flags, c.flags)
		}
		policy := s.PolicyOf(sessions.Session{CreatedAt: a.After.CreatedAt, Until: a.After.Until})
		if a.After.Idle != policy.Idle+policy.Slack() {
			t.Errorf("it lasts %v without requests, and its policy is %+v", a.After.Idle, policy)
		}
	}
	bare := xray.Cookie{Line: "session=; Max-Age=0; Domain=example.com; SameSite=None", Session: true}
	if f := bare.Flags(); f[0].Name != "Max-Age=0" || f[1].Name != "no HttpOnly" || f[3].Name != "no SameSite=Lax" || f[5].Name != "Domain=example.com" {
		t.Errorf("a bare cookie has the flags %v", f)
	}
}

// secrets are an ID and its hash, in whatever writing.
func secrets(ids ...string) (all []string) {
	for _, id := range ids {
		hash := sha256.Sum256([]byte(id))
		all = append(all, id, hex.EncodeToString(hash[:]), strings.ToUpper(hex.EncodeToString(hash[:])),
			base64.RawURLEncoding.EncodeToString(hash[:]), base64.RawStdEncoding.EncodeToString(hash[:]))
	}
	return all
}

func (s *shop) wantNoSecret(a answer, ids ...string) {
	s.Helper()
	text, err := json.Marshal(a.Exchange)
	if err != nil {
		s.Fatal(err)
	}
	for _, secret := range secrets(ids...) {
		if strings.Contains(string(text), secret) {
			s.Errorf("the X-ray has %s in it: %s", secret, text)
		}
	}
}

func TestXRayHasNoWholeID(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		s := openShopWith(t, secure)
		v := s.visitor()
		var ids []string
		for _, do := range []act{begin(sessions.Refs{CartID: 1}), look, signIn(sessions.Refs{UserID: 1}), renew, signOut, look} {
			a := v.must(do)
			for _, id := range []string{v.id, v.left} {
				if id != "" && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			s.wantNoSecret(a, ids...)
		}
		if len(ids) != 4 {
			t.Errorf("there were %d secrets, want three IDs, and the one by which the sign-out was left behind", len(ids))
		}
	}
}

func TestIDIsCutWhereverItIsPut(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	for _, r := range []*http.Request{
		s.request(http.MethodGet, "/"+v.id),
		s.request(http.MethodGet, "/orders/"+v.id+"/x"),
		s.request(http.MethodGet, "/%2F"+v.id),
		s.request(http.MethodGet, "/x"+v.id+"x"),
		s.request(http.MethodGet, "/?session="+v.id),
		s.request(http.MethodGet, "/"+secrets(v.id)[1]),
		s.request(v.id, "/"),
		s.request(http.MethodGet, "/", "session="+v.id+"x"),
		s.request(http.MethodGet, "/", "other="+v.id, "xray="+v.id),
	} {
		r.Header.Set("User-Agent", v.id)
		r.Header.Set("Referer", v.id)
		s.wantNoSecret(s.serve(r, look), v.id)
	}
	a := s.serve(s.request(http.MethodGet, "/"), func(_ *shop, w http.ResponseWriter, _ *http.Request) error {
		http.SetCookie(w, &http.Cookie{Name: "other", Value: v.id})
		return nil
	})
	s.wantNoSecret(a, v.id)
	wantIn(t, a.Cookies[0].Line, v.id[:6]+"…")
}

func TestCutPathIsText(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, letter := range []string{"é", "日", "🧥", "%ff"} {
		a := s.serve(s.request(http.MethodGet, "/xx"+strings.Repeat(letter, 50)), look)
		if !utf8.ValidString(a.Path) || strings.ContainsRune(a.Path, utf8.RuneError) || len(a.Path) > 20 {
			t.Errorf("of %s the path is %q", letter, a.Path)
		}
	}
	if a := s.serve(s.request(http.MethodGet, "/products/camel-overcoat"), look); a.Path != "/products/camel-overcoat" {
		t.Errorf("a path of the shop's own is %q", a.Path)
	}
}
