package web_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/web"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5/multitracer"
)

// openDemo opens a shop that shows what it does.
func openDemo(t testing.TB, change ...func(*web.Config)) *shop {
	t.Helper()
	return openOn(t, pgtest.NewTraced(t, xray.Tracer{}), append(change, demo)...)
}

// asking is a network on which each request asks for its X-ray.
type asking struct {
	http.RoundTripper
	answered func(*http.Response)
}

func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(xray.Header, "please")
	response, err := a.RoundTripper.RoundTrip(r)
	if err == nil && a.answered != nil {
		a.answered(response)
	}
	return response, err
}

// asks makes the browser ask for X-rays, and calls answered with each answer.
func (b *browser) asks(answered func(*http.Response)) *browser {
	b.client.Transport = asking{b.client.Transport, answered}
	return b
}

// xray is what came with the answer, or nil.
func (a answer) xray() *xray.Exchange {
	a.t.Helper()
	e, err := xray.Decode(a.Header)
	if err != nil {
		a.t.Errorf("%s: %v", a.what(), err)
	}
	return e
}

// panel is the part of the page that is the X-ray.
func (a answer) panel() string {
	_, rest, _ := strings.Cut(a.body, `<aside class="xray"`)
	panel, _, _ := strings.Cut(rest, `</aside>`)
	return panel
}

// shows expects text on the X-ray of the page, in this order.
func (a answer) shows(texts ...string) answer {
	a.t.Helper()
	rest := a.panel()
	for _, text := range texts {
		var found bool
		if _, rest, found = strings.Cut(rest, text); !found {
			a.t.Errorf("%s: the X-ray does not go on with %q:\n%s", a.what(), text, a.panel())
			return a
		}
	}
	return a
}

// showsNot expects that the X-ray of the page has no such text.
func (a answer) showsNot(text string) answer {
	a.t.Helper()
	if panel := a.panel(); panel == "" || strings.Contains(panel, text) {
		a.t.Errorf("%s: %q is on the X-ray:\n%s", a.what(), text, panel)
	}
	return a
}

// Whatever a visitor does, the X-ray lists what the shop has sent to Postgres
// meanwhile, as somebody else has heard it.
func TestXRayListsEveryStatement(t *testing.T) {
	t.Parallel()
	trips := &roundTrips{}
	s := openOn(t, pgtest.NewTraced(t, multitracer.New(xray.Tracer{}, trips)), demo)
	s.listening()
	trips.since()
	checked, statements := 0, 0
	alice := s.browser().asks(func(r *http.Response) {
		sent := trips.since()
		e, err := xray.Decode(r.Header)
		if e == nil { // a file, or a check of health
			if err != nil {
				t.Error(err)
			}
			return
		}
		var listed []string
		for _, v := range e.Room {
			var texts []string
			for _, st := range v.Statements {
				texts = append(texts, st.Line())
			}
			trip := strings.Join(texts, "; ")
			if len(texts) > 1 {
				trip = "batch: " + trip
			}
			listed = append(listed, trip)
			statements += len(texts)
		}
		for i, trip := range sent {
			if batch, one := strings.CutPrefix(trip, "batch: "); one && !strings.Contains(batch, "; ") {
				sent[i] = batch // a batch of one
			}
		}
		if !slices.Equal(listed, sent) {
			t.Errorf("%s %s lists\n%s\nand sent was\n%s", r.Request.Method, r.Request.URL.Path, strings.Join(listed, "\n"), strings.Join(sent, "\n"))
		}
		checked++
	})
	alice.life()
	if checked < 35 || statements < 100 {
		t.Errorf("only %d exchanges with %d statements were compared", checked, statements)
	}
}

func TestEveryPageHasItsXRayInADemo(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	b := s.browser()
	for _, a := range append(b.life(), b.get("/xray")) {
		if html := strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") && strings.Contains(a.body, "<main"); html != (a.panel() != "") {
			t.Errorf("%s (%d): a page %t, an X-ray %t", a.what(), a.StatusCode, html, a.panel() != "")
		}
		if strings.Count(a.body, `id="xray"`) > 1 || a.Header.Get(xray.Header) != "" {
			t.Errorf("%s has the X-ray more than once, or in a header that was not asked for", a.what())
		}
	}
}

// A contextSpy looks into the context that the shop calls its store with.
type contextSpy struct {
	sessions.Store
	mu         sync.Mutex
	looks      int
	recordings int
}

func (c *contextSpy) Load(ctx context.Context, k sessions.Key) (sessions.Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	if xray.From(ctx) != nil {
		c.recordings++
	}
	return c.Store.Load(ctx, k)
}

func TestXRayIsOffOutsideADemo(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		spy := &contextSpy{}
		s := open(t, func(c *web.Config) {
			spy.Store = pgstore.New(c.DB)
			c.Store, c.Demo = spy, on
		})
		b := s.browser().asks(nil)
		b.client.Jar.SetCookies(b.request(http.MethodGet, "/").URL, []*http.Cookie{{Name: "xray", Value: "x", Path: "/"}})
		traces := map[string]bool{}
		for _, a := range append(b.life(), b.signIn("admin"), b.get("/xray"), b.get("/xray/1"), b.post("/logout"), b.get("/")) {
			traces["the page"] = traces["the page"] || strings.Contains(a.body, `id="xray"`)
			traces["a word"] = traces["a word"] || strings.Contains(a.body, "X-ray") && !strings.HasPrefix(a.Request.URL.Path, "/static/")
			traces["the header"] = traces["the header"] || len(a.Header.Values(xray.Header)) > 0
			traces["a cookie"] = traces["a cookie"] || len(a.sets("xray")) > 0
		}
		for where, found := range traces {
			if found != on {
				t.Errorf("demo %t: an X-ray in %s: %t", on, where, found)
			}
		}
		if spy.looks == 0 || (spy.recordings > 0) != on {
			t.Errorf("demo %t: of %d look-ups %d were listened to", on, spy.looks, spy.recordings)
		}
		if on {
			continue
		}
		admin := s.signedInAs("admin")
		for _, who := range []*browser{admin, s.browser()} {
			who.get("/xray").is(http.StatusNotFound)
			who.get("/xray/1").is(http.StatusNotFound)
		}
		for _, path := range []string{"/xray", "/xray/1"} {
			if p := s.Pattern(http.MethodGet, path); p != "" {
				t.Errorf("%s leads to %s", path, p)
			}
		}
	}
}

func TestXRayShowsWhatTheReferencesLeadTo(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	b := s.browser()
	b.add("camel-overcoat")
	b.get("/").shows("<code>user_id</code>", "–", "<code>cart_id</code>", " → 1 item<")
	b.signIn("alice")
	b.add("navy-peacoat")
	b.get("/").shows("<code>user_id</code>", fmt.Sprintf("<code>%d</code> → Alice<", s.user("alice")), "<code>cart_id</code>", " → 2 items<")
}

// A changed password moves this session and ends the others, which is no end
// of this one.
func TestXRayTellsOnesOwnSessionFromOthers(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	phone := s.signedInAs("alice")
	alice := s.signedInAs("alice").asks(nil)
	_, handle := phone.get("/account/sessions").stubs()
	for _, c := range []struct {
		a    answer
		want xray.Change
	}{
		{alice.get("/account"), xray.Unchanged},
		{alice.post("/account/sessions/" + handle + "/revoke"), xray.Unchanged},
		{alice.post("/account/sessions/revoke-others"), xray.Unchanged},
		{alice.changePassword(alicesPassword, newPassword), xray.Moved},
		{alice.post("/logout"), xray.Ended},
	} {
		if e := c.a.xray(); e.Change != c.want || (e.After == nil) != (c.want == xray.Ended) {
			t.Errorf("%s: change %q, and in the end %v; want %q", c.a.what(), e.Change, e.After, c.want)
		}
	}
}

func TestXRayOfAStoreThatIsDownSaysSo(t *testing.T) {
	t.Parallel()
	for what, breakIt := range map[string]func(*shop){
		"no pool":  func(s *shop) { s.db.Close() },
		"no table": func(s *shop) { s.exec(`ALTER TABLE sessions RENAME TO elsewhere`) },
	} {
		s := openDemo(t)
		alice := s.signedInAs("alice")
		id := alice.ticket()
		breakIt(s)
		for _, path := range []string{"/", "/xray", "/orders"} {
			a := alice.get(path).shows("ticket "+id[:6]+"…", "the coat room could not be asked", "so nobody knows", "The session: load", "failed", "signs nobody out")
			if a.StatusCode < 500 || len(a.sets("session")) != 0 {
				t.Errorf("%s: %s sets %v", what, a.Status, a.sets("session"))
			}
			for _, secret := range append(writings(id), "SQLSTATE", "relation", "closed pool", "alice@", "Alice<") {
				a.showsNot(secret)
			}
		}
	}
}
