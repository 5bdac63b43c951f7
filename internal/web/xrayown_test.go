package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/web"
)

// lastExchange is the number of the last exchange of the browser's session.
func (b *browser) lastExchange() string {
	b.t.Helper()
	_, rest, _ := strings.Cut(b.get("/xray").is(http.StatusOK).body, `<a href="/xray/`)
	number, _, found := strings.Cut(rest, `"`)
	if !found {
		b.t.Fatal("no exchange is listed")
	}
	return number
}

// 8.2: an exchange is shown to whoever holds the session that it was part of.
func TestXRayIsOnesOwnAlone(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	alice, phone, bob, guest := s.signedInAs("alice"), s.signedInAs("alice"), s.signedInAs("bob"), s.browser()
	guest.add("camel-overcoat")
	alice.get("/account")
	path := "/xray/" + alice.lastExchange()
	if a := alice.get(path).is(http.StatusOK); !strings.Contains(a.body, "<code>GET /account</code>") {
		t.Error("Alice does not see her own exchange")
	}
	for who, b := range map[string]*browser{"her phone": phone, "Bob": bob, "a guest": guest, "a stranger": s.browser()} {
		a := b.get(path).is(http.StatusNotFound)
		if strings.Contains(a.body, "GET /account<") || strings.Contains(b.get("/xray").body, path+`"`) {
			t.Errorf("%s sees it", who)
		}
	}
	for _, odd := range []string{"/xray/0", "/xray/-1", "/xray/1e9", "/xray/99999999999999999999", "/xray/x", "/xray/%00", path + "/x", path + "0"} {
		alice.get(odd).is(http.StatusNotFound)
	}
	alice.changePassword(alicesPassword, newPassword).leadsTo("/account")
	alice.get(path).is(http.StatusOK) // she is the same one, under another ID
	thief := alice.copyOf()
	alice.post("/logout").leadsTo("/")
	for _, b := range []*browser{alice, thief, s.browser()} {
		b.get(path).is(http.StatusNotFound)
	}
	alice.signInWith(newPassword).is(http.StatusSeeOther)
	alice.get(path).is(http.StatusNotFound)
}

func TestLastTenRequestsAreListed(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	b := s.browser()
	b.get("/products/navy-peacoat") // before there was a session
	b.add("camel-overcoat")
	var want []string
	for i := range 10 {
		if i == 5 {
			b.signIn("alice")
			want = append([]string{"POST /login"}, want...)
		}
		b.get(fmt.Sprintf("/nowhere/%d", i))
		want = append([]string{fmt.Sprintf("GET /nowhere/%d", i)}, want...)
	}
	a := b.get("/xray").is(http.StatusOK)
	_, list, _ := strings.Cut(a.body, "Your last requests")
	list, _, _ = strings.Cut(list, "</section>")
	for i, request := range want {
		if listed := strings.Contains(list, "<code>"+request+"</code>"); listed != (i < 10) {
			t.Errorf("%s, the last but %d, is listed: %t", request, i, listed)
		}
	}
	if strings.Count(list, "<li>") != 10 || strings.Contains(list, "peacoat") || strings.Contains(list, "/xray<") {
		t.Errorf("listed is\n%s", list)
	}
}

func TestPageAfterTheSignOutShowsItOnce(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		s := openDemo(t, func(c *web.Config) { c.Secure = https })
		alice, bob := s.browser(), s.signedInAs("bob")
		alice.add("camel-overcoat")
		guest := s.texts(`SELECT handle FROM sessions WHERE user_id IS NULL`)[0]
		alice.signIn("alice")
		mine := s.handles("alice")[0]
		set := alice.post("/logout").leadsTo("/").sets("xray")
		if len(set) != 1 || !set[0].HttpOnly || set[0].Secure != https || set[0].SameSite != http.SameSiteLaxMode || set[0].MaxAge != 60 {
			t.Fatalf("the sign-out leaves %v", set)
		}
		const before = "The request before this one"
		alice.get("/").shows("no ticket", before, "POST /logout", "303", "The session: delete", mine, "Set-Cookie: ", "Max-Age=0",
			"The life of that session", guest, "Issued: ", "torn", mine, "Issued at the sign-in.", "Ended by signing out.", "This request", "GET /")
		alice.get("/").showsNot(before).showsNot(mine)
		bob.get("/").showsNot(before).showsNot(mine)
	}
}

func TestWhatASignOutLeavesIsForNobodyElse(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	const before = "The request before this one"
	left := func() string {
		return "xray=" + s.signedInAs("alice").post("/logout").sets("xray")[0].Value
	}
	with := func(cookie string) answer {
		b := s.browser()
		r := b.request(http.MethodGet, "/")
		r.Header.Set("Cookie", cookie)
		return b.do(r).is(http.StatusOK)
	}
	used, late, doubled := left(), left(), left()
	with(used).shows(before)
	with(used).showsNot(before)
	for _, forged := range []string{"xray=", "xray=x", "xray=" + unknownTicket(1)[:26], "xray=1", "__Host-" + late, doubled + "; xray=x", "xray=x; " + doubled} {
		with(forged).showsNot(before)
	}
	s.clock.advance(time.Minute - time.Second)
	with(left()).shows(before)
	s.clock.advance(time.Second)
	with(late).showsNot(before)
}

func TestTimeoutIsShownOnThePageItLeadsTo(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	alice := s.signedInAs("alice")
	s.clock.advance(idle + late)
	alice.get("/orders").leadsTo("/login?next=%2Forders")
	alice.get("/login").shows("The request before this one", "GET /orders", "its idle deadline had passed", "The life of that session", "nobody had come for too long")
}

func TestLifeOfTheSessionIsDrawn(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	s.browser().get("/xray").shows("no ticket")
	alice := s.browser()
	alice.add("camel-overcoat")
	handles := s.texts(`SELECT handle FROM sessions`)
	s.clock.advance(2 * time.Minute)
	alice.get("/")
	alice.signIn("alice")
	handles = append(handles, s.handles("alice")...)
	alice.changePassword(alicesPassword, newPassword)
	handles = append(handles, s.handles("alice")...)

	_, rest, _ := strings.Cut(alice.get("/xray").body, `<ol class="lives"`)
	drawn, _, _ := strings.Cut(rest, "It ends at 09:33:00")
	for _, want := range []string{
		"Session of a guest", handles[0], "09:00:00", "Issued: ", "09:02:00", "Used, ", "torn",
		fmt.Sprintf("Session of user %d", s.user("alice")), handles[1], "Issued at the sign-in.", "torn",
		handles[2], "Issued in place of the one before",
	} {
		var found bool
		if _, drawn, found = strings.Cut(drawn, want); !found {
			t.Fatalf("the timeline does not go on with %q:\n%s", want, rest)
		}
	}
	if strings.Contains(drawn, "torn") {
		t.Error("the last ticket is torn")
	}
}

// Several visitors at once, each of whom sees nothing of the others; the race
// detector listens.
func TestXRaysAtOnceAreKeptApart(t *testing.T) {
	t.Parallel()
	s := openDemo(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			b := s.browser()
			b.add("camel-overcoat")
			mine := s.texts(`SELECT handle FROM sessions WHERE key = $1`, key(b.ticket()))[0]
			for n := range 6 {
				a := b.get(fmt.Sprintf("/nowhere/%d/%d", i, n)).shows(mine)
				for other := range 4 {
					if other != i && strings.Contains(a.panel(), fmt.Sprintf("/nowhere/%d/", other)) {
						t.Errorf("visitor %d sees a request of visitor %d", i, other)
					}
				}
				b.get("/xray").is(http.StatusOK)
			}
			b.post("/logout").is(http.StatusSeeOther)
			b.get("/").shows("The life of that session", mine)
		})
	}
	all.Wait()
}
