package sessions_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"coatcheck/internal/sessions"
)

func TestCookieHasItsNameAndFlags(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		secure      bool
		sent, clear string
	}{
		"https": {
			true,
			"__Host-session=ID; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"http": {
			false,
			"session=ID; Path=/; HttpOnly; SameSite=Lax",
			"session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShopWith(t, sessions.DefaultPolicy, want.secure)
			v := s.visitor()
			for _, do := range []act{begin(sessions.Refs{CartID: 1}), signIn(sessions.Refs{UserID: 1})} {
				a := v.must(do)
				if line := strings.ReplaceAll(strings.Join(a.setCookie, "\n"), v.id, "ID"); line != want.sent {
					t.Errorf("Set-Cookie: %s\nwant %s", line, want.sent)
				}
			}
			a := v.must(signOut)
			if line := strings.Join(a.setCookie, "\n"); line != want.clear {
				t.Errorf("sign-out: Set-Cookie: %s\nwant %s", line, want.clear)
			}
		})
	}
}

// The same life of a session as a real client sees it over a real connection.
func TestSessionLivesInACookieJar(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(http.Handler) *httptest.Server{
		"https": httptest.NewTLSServer,
		"http":  httptest.NewServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openShopWith(t, sessions.DefaultPolicy, name == "https")
			acts := map[string]act{
				"/": look, "/begin": begin(sessions.Refs{CartID: 1}),
				"/sign-in": signIn(sessions.Refs{UserID: 2, CartID: 1}), "/sign-out": signOut,
			}
			server := serve(s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Ticket", sessions.TicketFrom(r.Context()).String())
				if err := acts[r.URL.Path](s, w, r); err != nil {
					t.Error(err)
				}
			})))
			defer server.Close()
			client := server.Client()
			client.Jar, _ = cookiejar.New(nil) // never fails
			for _, step := range []struct{ path, want string }{
				{"/", "none"}, {"/begin", "none"}, {"/", "live"}, {"/sign-in", "live"},
				{"/", "live"}, {"/sign-out", "live"}, {"/", "none"},
			} {
				answer, err := client.Get(server.URL + step.path)
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				if ticket := answer.Header.Get("Ticket"); ticket != step.want {
					t.Errorf("%s: ticket %s, want %s", step.path, ticket, step.want)
				}
			}
			s.wantRows(0)
		})
	}
}

// Over https a cookie of the plain name, which a plain-http page or a
// neighbouring subdomain could have planted, means nothing.
func TestPlainNameMeansNothingOverHTTPS(t *testing.T) {
	t.Parallel()
	s := openShopWith(t, sessions.DefaultPolicy, true)
	good, evil := s.arrives(sessions.Refs{UserID: 1}), s.arrives(sessions.Refs{UserID: 666})
	s.want(s.serve(s.request("session="+good.id), look), sessions.TicketNone)
	s.want(s.serve(s.request("__host-session="+good.id), look), sessions.TicketNone)
	a := s.serve(s.request("session="+evil.id+"; __Host-session="+good.id), look)
	s.want(a, sessions.TicketLive)
	if a.session.UserID != 1 {
		t.Errorf("the visitor is user %d, want 1", a.session.UserID)
	}
}

// Whoever can plant a cookie can make it come first or last, so no rule of
// first or last is safe.
func TestRepeatedCookieIsAnonymousInWhateverOrder(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	good, evil := s.arrives(sessions.Refs{UserID: 1}), s.arrives(sessions.Refs{UserID: 666})
	g, e := "session="+good.id, "session="+evil.id
	for _, lines := range [][]string{
		{g + "; " + e}, {e + "; " + g}, // in one header line
		{g, e}, {e, g}, // in two
		{g + "; " + g}, {g, g}, {g + "; " + g + "; " + g},
		{g + "; session="}, {"session=; " + g},
		{g + "; session=short"}, {"session=short; " + g},
		{g + "; other=1; " + e}, {e + "; other=1", g},
	} {
		a := s.serve(s.request(lines...), look)
		s.want(a, sessions.TicketRepeated)
		s.wantNoCookie(a)
		if a.calls("") != 0 {
			t.Errorf("%q cost %q", lines, a.told)
		}
	}
	good.wantTicket(sessions.TicketLive)
	evil.wantTicket(sessions.TicketLive)
}

func TestOtherCookiesAreOfNoConcern(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	for _, lines := range [][]string{
		{"a=1; session=" + v.id + "; session2=x; Session=x; xsession=x; __Host-session=x"},
		{"a=1", "session=" + v.id, "b=2"},
	} {
		s.want(s.serve(s.request(lines...), look), sessions.TicketLive)
	}
}

// An ID in an address leaks by logs, history and Referer; the cookie is the
// one place where it counts.
func TestIDOutsideTheCookieIsIgnored(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	id := s.arrives(sessions.Refs{UserID: 1}).id
	ways := map[string]*http.Request{
		"in the path": httptest.NewRequestWithContext(t.Context(), "GET", "/"+id+";session="+id, nil),
		"in the form": httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(url.Values{"session": {id}}.Encode())),
	}
	ways["in the form"].Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, name := range []string{"session", "__Host-session", "session_id", "sid", "id", "PHPSESSID", "jsessionid"} {
		ways["in the address as "+name] = httptest.NewRequestWithContext(t.Context(), "GET", "/?"+name+"="+id, nil)
	}
	for header, value := range map[string]string{
		"Authorization": "Bearer " + id, "Session": id, "X-Session": id, "X-Session-ID": id,
		"Set-Cookie": "session=" + id, "Cookie2": "session=" + id, "Referer": "http://localhost/?session=" + id,
	} {
		r := s.request()
		r.Header.Set(header, value)
		ways["in the header "+header] = r
	}
	for where, r := range ways {
		t.Run(where, func(t *testing.T) {
			a := s.serve(r, look)
			s.want(a, sessions.TicketNone)
			s.wantNoCookie(a)
		})
	}
}

// The session has timed out, so its cookie is cleared, and then the visitor
// signs in: two lines for one cookie would leave it to the browser which
// counts.
func TestAnswerSetsTheCookieOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 1})
	old := v.id
	s.clock.turn(sessions.DefaultPolicy.Lifetime)
	a := v.must(func(s *shop, w http.ResponseWriter, r *http.Request) error {
		http.SetCookie(w, &http.Cookie{Name: "flash", Value: "welcome"})
		http.SetCookie(w, &http.Cookie{Name: "session2", Value: "another"})
		return s.SignIn(w, r, sessions.Refs{UserID: 1}, false)
	})
	s.want(a, sessions.TicketIdledOut)
	want := []string{"flash=welcome", "session2=another", "session=" + v.id + "; Path=/; HttpOnly; SameSite=Lax"}
	if !slices.Equal(a.setCookie, want) || v.id == "" || v.id == old {
		t.Errorf("Set-Cookie: %q, want %q", a.setCookie, want)
	}
	v.wantTicket(sessions.TicketLive)
}
