package story_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coatcheck/internal/story"
)

const (
	firstID  = "first-ID-of-which-no-more-than-six-may-be-s"
	secondID = "second-ID-of-which-no-more-than-six-may-be-"
	password = "never to be told"
)

// room is a server that does what its address says.
func room(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/begin":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: firstID, Path: "/", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "notice", Value: "added", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "flower", Value: "rose-tulip-and-lily", Path: "/"})
	case "/move":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: secondID, Path: "/"})
	case "/short":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "third-ID", Path: "/"})
	case "/again":
		http.SetCookie(w, &http.Cookie{Name: "session", Value: firstID, Path: "/"})
	case "/end":
		http.SetCookie(w, &http.Cookie{Name: "session", MaxAge: -1, Path: "/"})
	case "/redirect":
		http.Redirect(w, r, "/orders/1001", http.StatusSeeOther)
		return
	case "/page":
		fmt.Fprint(w, `<a id="account-name" href="/account">Al &amp; Ice</a> <span id="cart-count"> 3 </span> <input type="hidden" name="key" value="a&amp;b">`)
		return
	}
	fmt.Fprintf(w, "%s %s?%s by %s; origin %s, site %s", r.Method, r.URL.Path, r.PostFormValue("key"), r.Header.Get("Cookie"), r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site"))
}

func world(t *testing.T, handlers ...http.HandlerFunc) *story.World {
	t.Helper()
	w := &story.World{}
	for i, h := range handlers {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		w.Servers = append(w.Servers, story.Place{Name: fmt.Sprint("server ", i), URL: server.URL, Way: http.DefaultTransport})
	}
	return w
}

func get(path string) *story.Request { return &story.Request{Method: "GET", Path: path} }

// play plays steps between Alice and Mallory.
func play(t *testing.T, w *story.World, steps ...story.Step) *story.Transcript {
	t.Helper()
	transcript, err := story.Play(t.Context(), &story.Story{Cast: []story.Actor{{Name: "Alice"}, {Name: "Mallory"}}, Steps: steps}, w)
	if err != nil {
		t.Fatal(err)
	}
	return transcript
}

// wantHeld fails the test for each expectation that did not hold.
func wantHeld(t *testing.T, transcript *story.Transcript) {
	t.Helper()
	for _, p := range transcript.Played {
		for _, o := range p.Outcomes {
			if !o.Held {
				t.Errorf("step %d: %s; %s", p.Number, o.Want, o.Got)
			}
		}
	}
	if !transcript.Held() {
		t.Error("the story did not hold")
	}
}

func TestEachActorHasAJar(t *testing.T) {
	t.Parallel()
	says := func(who, path, text string, did story.Ticket) story.Step {
		return story.Step{Who: who, Ask: get(path), Expect: story.Expect{Status: 200, Says: text, Ticket: did}}
	}
	wantHeld(t, play(t, world(t, room),
		says("Alice", "/", "by ;", story.NoTicket),
		says("Alice", "/begin", "by ;", story.NewTicket),
		says("Alice", "/", "notice=added; session="+firstID, story.SameTicket),
		says("Mallory", "/", "by ;", story.NoTicket),
		says("Alice", "/again", "session="+firstID, story.SameTicket),
		says("Alice", "/move", "session="+firstID, story.NewTicket),
		says("Alice", "/", "session="+secondID, story.SameTicket),
		story.Step{Who: "Mallory", Carry: &story.Carry{From: "Alice"}},
		says("Mallory", "/", "by session="+secondID+";", story.SameTicket), // and no other cookie of hers
		says("Alice", "/end", "session="+secondID, story.DroppedTicket),
		says("Alice", "/", "by flower=rose-tulip-and-lily; notice=added;", story.NoTicket),
		says("Mallory", "/", "session="+secondID, story.SameTicket),
		story.Step{Who: "Mallory", Carry: &story.Carry{Ticket: "made-up"}},
		says("Mallory", "/", "by session=made-up;", story.SameTicket),
		story.Step{Who: "Mallory", Carry: &story.Carry{From: "Alice"}}, // who has none
		says("Mallory", "/", "by ;", story.NoTicket),
	))
}

// A ticket that was made up is called as the shop calls its own.
func TestTicketOverHTTPSHasItsOwnName(t *testing.T) {
	t.Parallel()
	w := world(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/begin" {
			http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: firstID, Path: "/", Secure: true})
		}
		fmt.Fprint(w, r.Header.Get("Cookie"))
	})
	wantHeld(t, play(t, w,
		story.Step{Who: "Alice", Ask: get("/begin"), Expect: story.Expect{Ticket: story.NewTicket}},
		story.Step{Who: "Mallory", Carry: &story.Carry{Ticket: "made-up"}},
		story.Step{Who: "Mallory", Ask: get("/"), Expect: story.Expect{Says: "__Host-session=made-up"}},
		story.Step{Who: "Mallory", Carry: &story.Carry{From: "Alice"}},
		story.Step{Who: "Mallory", Ask: get("/"), Expect: story.Expect{Says: "__Host-session=" + firstID}},
	))
}

func TestRedirectsAndHiddenFieldsAreFollowed(t *testing.T) {
	t.Parallel()
	post := func(path string) *story.Request {
		return &story.Request{Method: "POST", Path: path, Form: []story.Field{{Name: "key", Hidden: true}}}
	}
	transcript := play(t, world(t, room),
		story.Step{Who: "Alice", Ask: get("/redirect"), Expect: story.Expect{Status: 303, Location: "/orders/…"}},
		story.Step{Who: "Alice", Ask: &story.Request{Method: "GET"}, Expect: story.Expect{Says: "GET /orders/1001"}},
		story.Step{Who: "Alice", Ask: get("/page")},
		story.Step{Who: "Alice", Ask: post("/form"), Expect: story.Expect{Says: "POST /form?a&b by"}},
	)
	wantHeld(t, transcript)
	if path := transcript.Played[1].Exchange.Path; path != "/orders/1001" {
		t.Errorf("the transcript says that %s was asked for", path)
	}
}

// It is the browser that says so, and that leaves SameSite=Lax cookies at home.
func TestFormOfAnotherSiteComesWithoutCookies(t *testing.T) {
	t.Parallel()
	wantHeld(t, play(t, world(t, room),
		story.Step{Who: "Alice", Ask: get("/begin")},
		story.Step{Who: "Alice", Ask: &story.Request{Method: "POST", Path: "/form", Site: "https://elsewhere.example"},
			Expect: story.Expect{Says: "by ; origin https://elsewhere.example, site cross-site", Ticket: story.SameTicket}},
		story.Step{Who: "Alice", Ask: &story.Request{Method: "POST", Path: "/form"}, Expect: story.Expect{Says: "session=" + firstID + "; origin , site "}},
	))
}

func TestTranscriptTellsNoSecret(t *testing.T) {
	t.Parallel()
	transcript := play(t, world(t, room),
		story.Step{Who: "Alice", Ask: get("/begin")},
		story.Step{Who: "Alice", Ask: &story.Request{Method: "POST", Path: "/move", Form: []story.Field{{Name: "password", Value: password, Secret: true}, {Name: "next", Value: "/cart"}}}},
		story.Step{Who: "Mallory", Carry: &story.Carry{From: "Alice"}},
		story.Step{Who: "Mallory", Ask: get("/")},
		story.Step{Who: "Mallory", Ask: get("/short")},
	)
	for i := range transcript.Played {
		p := &transcript.Played[i]
		p.Ask = nil // is what the story says, and not what was recorded
	}
	transcript.Story = nil
	text, err := json.Marshal(transcript)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{firstID[:7], secondID[:7], "third-ID", "rose-tu", password} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the transcript has %q in it:\n%s", secret, text)
		}
	}
	for _, told := range []string{firstID[:6] + "…", secondID[:6] + "…", "notice=added", "/cart", "HttpOnly"} {
		if !strings.Contains(string(text), told) {
			t.Errorf("the transcript lacks %q:\n%s", told, text)
		}
	}
}

func TestWhatCannotBeShownFromOutsideIsTold(t *testing.T) {
	t.Parallel()
	steps := []story.Step{
		{Who: "Alice", Ask: get("/begin")},
		{Restart: true},
		{Who: "Alice", Ask: &story.Request{Server: story.Second, Method: "GET", Path: "/"}, Expect: story.Expect{Says: "session=" + firstID}},
	}
	outside := play(t, world(t, room), steps...)
	wantHeld(t, outside)
	for i, server := range []string{"server 0", "", "server 0"} {
		p := outside.Played[i]
		if told := strings.HasPrefix(p.Limit, "Cannot be shown from outside: "); told != (i > 0) || p.Server != server {
			t.Errorf("step %d is played on %q, and says %q", i+1, p.Server, p.Limit)
		}
	}

	w := world(t, room, room)
	restarts := 0
	w.Restart = func(context.Context) error { restarts++; return nil }
	inside := play(t, w, steps...)
	wantHeld(t, inside)
	if inside.Played[1].Limit != "" || inside.Played[2].Limit != "" || inside.Played[2].Server != "server 1" || restarts != 1 {
		t.Errorf("with two servers that can be restarted: %+v, %d restarts", inside.Played, restarts)
	}
}

func TestStoryStopsWithoutWhatItNeeds(t *testing.T) {
	t.Parallel()
	step := func(needed bool, status int) story.Step {
		return story.Step{Who: "Alice", Ask: get("/"), Needed: needed, Expect: story.Expect{Status: status}}
	}
	for _, c := range []struct {
		first  story.Step
		played int
	}{{step(true, 200), 2}, {step(false, 303), 2}, {step(true, 303), 1}} {
		transcript := play(t, world(t, room), c.first, step(false, 200))
		if len(transcript.Played) != c.played || (transcript.Stopped != "") != (c.played == 1) || transcript.Held() != (c.first.Expect.Status == 200) {
			t.Errorf("%+v: %d steps were played, %q, held %v", c.first, len(transcript.Played), transcript.Stopped, transcript.Held())
		}
	}
}

func TestSilentServerIsAnError(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.HandlerFunc(room))
	gone.Close()
	w := world(t, room)
	w.Servers = append(w.Servers, story.Place{URL: gone.URL, Way: http.DefaultTransport})
	steps := []story.Step{
		{Slug: "one", Who: "Alice", Ask: get("/")},
		{Slug: "two", Who: "Alice", Ask: &story.Request{Server: story.Second, Method: "GET", Path: "/"}},
	}
	transcript, err := story.Play(t.Context(), &story.Story{Cast: []story.Actor{{Name: "Alice"}}, Steps: steps}, w)
	if err == nil || !strings.Contains(err.Error(), "step 2, two: "+gone.URL+" does not answer") || len(transcript.Played) != 1 {
		t.Errorf("%v, after %d steps", err, len(transcript.Played))
	}
}
