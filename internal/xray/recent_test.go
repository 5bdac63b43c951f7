package xray_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/xray"
)

// paths are those of the last exchanges of the visitor's session.
func (v *visitor) paths() (paths []string) {
	v.Helper()
	row := v.row()
	if row == nil {
		v.Fatal("the visitor has no session")
	}
	for _, e := range v.Recent(row.Handle) {
		paths = append(paths, e.Path)
	}
	return paths
}

func TestLastTenExchangesAreRememberedAcrossAMove(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v, other := s.visitor(), s.arrives(sessions.Refs{CartID: 2})
	v.at("/before", look) // which was nobody's
	v.at("/1", begin(sessions.Refs{CartID: 1}))
	want := []string{"/1"}
	for i := 2; i <= 12; i++ {
		do := look
		switch i {
		case 4:
			do = signIn(sessions.Refs{UserID: 1})
		case 8:
			do = renew
		}
		path := fmt.Sprintf("/%d", i)
		v.at(path, do)
		other.at("/other", look)
		v.at("/xray/1", look) // to look at X-rays is none of what they show
		want = append([]string{path}, want...)
		want = want[:min(len(want), 10)]
		if got := v.paths(); !slices.Equal(got, want) {
			t.Fatalf("remembered are %q, want %q", got, want)
		}
	}
	if got := other.paths(); slices.Contains(got, "/1") || slices.Contains(got, "/12") || len(got) != 10 {
		t.Errorf("another visitor's are %q", got)
	}
	if e := v.Recent(v.row().Handle)[0]; e.Status != http.StatusOK || e.Ticket.State != "live" {
		t.Errorf("remembered is an exchange that had not ended: %+v", e)
	}
}

// A session that has ended has nothing to remember, and a new one of the same
// user does not follow from it.
func TestNothingIsRememberedAcrossASignOut(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.visitor()
	v.at("/in", signIn(sessions.Refs{UserID: 1}))
	v.at("/out", signOut)
	v.at("/again", signIn(sessions.Refs{UserID: 1}))
	if got := v.paths(); !slices.Equal(got, []string{"/again"}) {
		t.Errorf("remembered are %q", got)
	}
	if list := s.Recent(""); len(list) != 0 {
		t.Errorf("of no session %d exchanges are remembered", len(list))
	}
}

// Who signs in where somebody else has not signed out sees the sign-in, and
// nothing of what the other one did.
func TestNothingOfAnotherUserIsRemembered(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.visitor()
	v.at("/1", begin(sessions.Refs{CartID: 1}))
	v.at("/2", signIn(sessions.Refs{UserID: 1, CartID: 1}))
	v.at("/3", renew)
	if got, want := v.paths(), []string{"/3", "/2", "/1"}; !slices.Equal(got, want) {
		t.Errorf("remembered are %q, want %q", got, want)
	}
	v.at("/4", signIn(sessions.Refs{UserID: 2, CartID: 2}))
	v.at("/5", look)
	if got, want := v.paths(), []string{"/5", "/4"}; !slices.Equal(got, want) {
		t.Errorf("remembered are %q, want %q", got, want)
	}
}

// Of all sessions together the last thousand are remembered.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{CartID: 1})
	for range 199 {
		s.serve(s.request(http.MethodGet, "/"), look)
	}
	if got := v.paths(); len(got) != 1 {
		t.Errorf("after 199 others %d are remembered", len(got))
	}
	s.serve(s.request(http.MethodGet, "/xray"), look) // which takes nobody's place
	if got := v.paths(); len(got) != 0 {
		t.Errorf("after many others %d are remembered", len(got))
	}
}

// Many visitors at once are kept apart; the race detector listens.
func TestVisitorsAtOnceAreKeptApart(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			mine := fmt.Sprintf("/%d", i)
			id := ""
			for n := range 12 {
				do, cookie := look, "session="+id
				switch {
				case n == 0:
					do, cookie = begin(sessions.Refs{CartID: int64(i + 1)}), ""
				case n%4 == 0:
					do = renew
				}
				w := s.send(s.request(http.MethodGet, mine, cookie), do)
				for _, c := range w.Result().Cookies() {
					id = c.Value
				}
				e, err := xray.Decode(w.Header())
				if err != nil || e.After == nil || e.After.CartID != int64(i+1) || e.Path != mine {
					t.Errorf("%s gets %+v, %v", mine, e, err)
					return
				}
				for _, old := range s.Recent(e.After.Handle) {
					if old.Path != mine {
						t.Errorf("%s is shown %s", mine, old.Path)
					}
				}
			}
		})
	}
	all.Wait()
}

func TestSignOutIsLeftForTheNextPageOnce(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		s := openShopWith(t, secure)
		v := s.arrives(sessions.Refs{UserID: 1})
		handle := v.row().Handle
		out := v.must(signOut)
		if c := cookieOf(out, "xray"); c == nil || !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 60 || len(c.Value) < 26 {
			t.Errorf("it is left behind by %v", c)
		}
		if len(out.Cookies) != 2 || !out.Cookies[0].Session || out.Cookies[1].Session {
			t.Errorf("the sign-out shows the cookies %+v, want the ticket's and its own", out.Cookies)
		}
		left := v.left
		a := v.must(look)
		if a.previous == nil || a.previous.Number != out.Number || a.previous.Change != xray.Ended || a.previous.Found.Handle != handle {
			t.Fatalf("the next page shows %+v", a.previous)
		}
		if v.left != "" {
			t.Error("the next page leaves the cookie in the browser")
		}
		if a := v.must(look); a.previous != nil {
			t.Error("the page after that shows it again")
		}
		v.left = left // copied before
		if a := v.must(look); a.previous != nil {
			t.Error("the cookie works a second time")
		}
	}
}

func cookieOf(a answer, name string) *http.Cookie {
	for _, line := range a.setCookie {
		if c, err := http.ParseSetCookie(line); err == nil && (c.Name == name || c.Name == "__Host-"+name) {
			return c
		}
	}
	return nil
}

func TestTimeoutIsLeftForThePageItLeadsTo(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	s.clock.turn(time.Hour)
	v.must(func(_ *shop, w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return nil
	})
	if a := v.must(look); a.previous == nil || a.previous.Why != "idle timeout" {
		t.Errorf("the page shows %+v", a.previous)
	}
}

func TestWhatIsLeftIsForNobodyElse(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for what, late := range map[string]time.Duration{"in time": time.Minute - time.Second, "too late": time.Minute} {
		v := s.arrives(sessions.Refs{UserID: 1})
		v.must(signOut)
		left := "xray=" + v.left
		for _, cookies := range [][]string{
			{"xray=" + unknown[:26]}, {"xray="}, {"session=" + v.left}, {"__Host-" + left}, nil,
		} {
			if a := s.serve(s.request(http.MethodGet, "/", cookies...), look); a.previous != nil {
				t.Errorf("%q is shown the sign-out", cookies)
			}
		}
		for _, method := range []string{http.MethodPost, http.MethodHead} {
			if a := s.serve(s.request(method, "/", left), look); a.previous != nil || a.setCookie != nil {
				t.Errorf("a %s takes it", method)
			}
		}
		for _, cookies := range [][]string{{left, "xray=planted"}, {"xray=planted", left}} {
			if a := s.serve(s.request(http.MethodGet, "/", cookies...), look); a.previous != nil {
				t.Errorf("%q is shown the sign-out", cookies)
			}
		}
		s.clock.turn(late)
		if a := v.must(look); (a.previous != nil) != (late < time.Minute) {
			t.Errorf("%s: the page shows %v", what, a.previous)
		}
	}
}

func TestOfManyPagesAtOnceOneShowsTheSignOut(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	v := s.arrives(sessions.Refs{UserID: 1})
	v.must(signOut)
	var all sync.WaitGroup
	shown := make(chan int, 8)
	for range cap(shown) {
		all.Go(func() {
			s.sendPlain(v.request("/"), func(_ *shop, _ http.ResponseWriter, r *http.Request) error {
				if p := xray.From(r.Context()).Previous(); p != nil {
					shown <- p.Number
				}
				return nil
			})
		})
	}
	all.Wait()
	if len(shown) != 1 {
		t.Errorf("%d pages show it, want one", len(shown))
	}
}

// What is shown by another page, or is no end, is not left behind.
func TestOnlyAnEndBehindARedirectIsLeft(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	redirect := func(_ *shop, w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	onAPage := func(s *shop, w http.ResponseWriter, r *http.Request) error { return s.SignOut(w, r) }
	v := s.visitor()
	for i, do := range []act{redirect, begin(sessions.Refs{CartID: 1}), redirect, renew, onAPage, redirect} {
		if v.must(do); v.left != "" {
			t.Errorf("act %d leaves something behind", i)
		}
	}
	v.id = unknown
	if v.must(redirect); v.left != "" {
		t.Error("a ticket that opens nothing leaves something behind")
	}
}

func TestXRayComesOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	if w := s.send(s.request(http.MethodGet, "/"), look); w.Header().Get(xray.Header) == "" {
		t.Error("it does not come when asked for")
	}
	r := s.request(http.MethodGet, "/")
	w := s.sendPlain(r, look)
	if got := w.Header().Get(xray.Header); got != "" {
		t.Errorf("it comes unasked: %s", got)
	}
	if e, err := xray.Decode(w.Header()); e != nil || err != nil {
		t.Errorf("read from an answer without it: %v, %v", e, err)
	}
}

func TestForeignHeaderIsNoXRay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "%%%", "eyJ9", unknown} {
		if e, err := xray.Decode(http.Header{xray.Header: {text}}); e != nil || err == nil {
			t.Errorf("%q is read as %v, %v", text, e, err)
		}
	}
}
