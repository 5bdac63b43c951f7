package web_test

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/web"
)

// guess tries to sign in with a password, as a client at an address.
func (b *browser) guess(email, password, forwardedFor string) answer {
	b.t.Helper()
	r := b.form("/login", "email", email, "password", password)
	setUnlessEmpty(r, "X-Forwarded-For", forwardedFor)
	return b.do(r)
}

// behindAProxy trusts the test's own address as a proxy's, so that a test can
// be at many addresses.
func behindAProxy(c *web.Config) { c.TrustedProxies = []string{"127.0.0.0/8", "::1/128"} }

// ASVS 6.3.1
func TestGuesserIsSlowedDownAndTheOwnerIsNot(t *testing.T) {
	t.Parallel()
	s := open(t, behindAProxy)
	const guesser, owner = "203.0.113.9", "198.51.100.7"
	b := s.browser()
	for range auth.DefaultFailures {
		a := b.guess("alice@example.com", "wrong", guesser).is(http.StatusUnprocessableEntity).says("do not go together")
		if !strings.Contains(a.body, `aria-invalid="true"`) {
			t.Error("no field is marked as wrong")
		}
	}
	s.clock.advance(5*time.Minute - time.Second/2)
	blocked := b.guess("alice@example.com", "wrong", guesser).is(http.StatusTooManyRequests).says("in 11 min")
	if got := blocked.Header.Get("Retry-After"); got != "601" {
		t.Errorf("Retry-After is %q, want 601 seconds", got)
	}
	b.guess("ALICE@Example.com ", "coat-check-alice", guesser).is(http.StatusTooManyRequests) // not even if it is right
	s.browser().guess("bob@example.com", "coat-check-bob", guesser).leadsTo("/")              // the account, not the address alone
	s.browser().guess("alice@example.com", "coat-check-alice", owner).leadsTo("/")

	s.clock.advance(10*time.Minute + time.Second)
	s.browser().guess("alice@example.com", "coat-check-alice", guesser).leadsTo("/")
}

func TestUnknownAccountIsThrottledLikeAnyOther(t *testing.T) {
	t.Parallel()
	b := open(t).browser()
	for range auth.DefaultFailures {
		b.guess("nobody@example.com", "wrong", "").is(http.StatusUnprocessableEntity)
	}
	b.guess("nobody@example.com", "wrong", "").is(http.StatusTooManyRequests)
}

func TestSuccessForgetsTheFailures(t *testing.T) {
	t.Parallel()
	s := open(t)
	for range 3 {
		for range auth.DefaultFailures - 1 {
			s.browser().guess("alice@example.com", "wrong", "").is(http.StatusUnprocessableEntity)
		}
		s.browser().guess("alice@example.com", "coat-check-alice", "").leadsTo("/")
	}
	if n := s.number(`SELECT count(*) FROM sign_in_failures`); n != 0 {
		t.Errorf("%d counts are left", n)
	}
}

func TestVolleyOfGuessesCannotSlipPastTheCount(t *testing.T) {
	t.Parallel()
	s := open(t)
	var mu sync.Mutex
	answers := map[int]int{}
	var guesses sync.WaitGroup
	for i := range 50 {
		guesses.Go(func() {
			a := s.browser().guess("alice@example.com", "wrong "+strconv.Itoa(i), "")
			mu.Lock()
			defer mu.Unlock()
			answers[a.StatusCode]++
		})
	}
	guesses.Wait()
	if want := map[int]int{http.StatusUnprocessableEntity: 10, http.StatusTooManyRequests: 40}; !maps.Equal(answers, want) {
		t.Errorf("50 guesses at once were answered %v, want %v", answers, want)
	}
}

// ASVS 4.1.3
func TestForgedAddressCountsOnlyFromATrustedProxy(t *testing.T) {
	t.Parallel()
	forge := func(b *browser, i int) answer {
		r := b.form("/login", "email", "alice@example.com", "password", "wrong")
		address := "203.0.113." + strconv.Itoa(i)
		for _, h := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip", "Forwarded"} {
			r.Header.Set(h, address)
		}
		return b.do(r)
	}
	t.Run("NoProxy", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		for i := range auth.DefaultFailures {
			forge(s.browser(), i).is(http.StatusUnprocessableEntity)
		}
		forge(s.browser(), 99).is(http.StatusTooManyRequests)
		if strings.Contains(s.log.String(), "203.0.113.") {
			t.Error("the log has the forged address")
		}
	})
	t.Run("OtherProxy", func(t *testing.T) {
		t.Parallel()
		s := open(t, func(c *web.Config) { c.TrustedProxies = []string{"10.0.0.0/8"} })
		for i := range auth.DefaultFailures {
			forge(s.browser(), i).is(http.StatusUnprocessableEntity)
		}
		forge(s.browser(), 99).is(http.StatusTooManyRequests)
	})
	t.Run("OurProxy", func(t *testing.T) {
		t.Parallel()
		s := open(t, behindAProxy)
		for i := range auth.DefaultFailures {
			// What the client claimed stands before what the proxy saw.
			s.browser().guess("alice@example.com", "wrong", "192.0.2."+strconv.Itoa(i)+", 203.0.113.9").is(http.StatusUnprocessableEntity)
		}
		s.browser().guess("alice@example.com", "wrong", "192.0.2.99, 203.0.113.9").is(http.StatusTooManyRequests)
		if !strings.Contains(s.log.String(), "address=203.0.113.9") {
			t.Error("the log has not the address that the proxy saw")
		}
	})
}

// One household has a whole /64 of addresses to choose from.
func TestIPv6AddressesOfOneNetworkShareACount(t *testing.T) {
	t.Parallel()
	s := open(t, behindAProxy)
	for i := range auth.DefaultFailures {
		s.browser().guess("alice@example.com", "wrong", "2001:db8:1:2::"+strconv.Itoa(i)).is(http.StatusUnprocessableEntity)
	}
	s.browser().guess("alice@example.com", "wrong", "2001:db8:1:2:ffff::1").is(http.StatusTooManyRequests)
	s.browser().guess("alice@example.com", "wrong", "2001:db8:1:3::1").is(http.StatusUnprocessableEntity)
	// An IPv4 address in IPv6's clothes is itself, not part of a network of all.
	s.browser().guess("alice@example.com", "wrong", "::ffff:203.0.113.9").is(http.StatusUnprocessableEntity)
	if n := s.number(`SELECT count(*) FROM sign_in_failures WHERE address = '203.0.113.9'`); n != 1 {
		t.Errorf("%d counts for the IPv4 address, want 1", n)
	}
}

// ASVS 6.3.8: nobody learns which e-mails have accounts, neither here …
func TestFailedSignInLooksTheSameForEveryEmail(t *testing.T) {
	t.Parallel()
	s := open(t)
	known := s.browser().guess("alice@example.com", "wrong", "").is(http.StatusUnprocessableEntity)
	unknown := s.browser().guess("alicf@example.com", "wrong", "").is(http.StatusUnprocessableEntity)
	sameAnswer(t, known, unknown, "alice@example.com", "alicf@example.com")
}

// … nor there.
func TestSignUpLooksTheSameForEveryEmail(t *testing.T) {
	t.Parallel()
	s := open(t)
	form := func(email string) answer {
		return s.browser().post("/signup", "name", "Mallory", "email", email, "password", "mallory was here", "next", "/orders")
	}
	before := s.picture()
	known := form(" Alice@Example.com ").leadsTo("/login?next=%2Forders")
	s.unchanged(before, "a sign-up with Alice's e-mail")
	unknown := form("carol@example.com").leadsTo("/login?next=%2Forders")
	sameAnswer(t, known, unknown, "", "")
	s.signedInAs("alice") // with her own password

	b := s.browser()
	b.post("/login", "email", "Carol@example.com", "password", "mallory was here").leadsTo("/")
	if name := b.get("/").text("account-name"); name != "Mallory" {
		t.Errorf("the new account's name is %q", name)
	}
}

func sameAnswer(t *testing.T, a, b answer, emailA, emailB string) {
	t.Helper()
	a.Header.Del("Date")
	b.Header.Del("Date")
	if emailA != "" {
		a.body = strings.ReplaceAll(a.body, emailA, emailB)
	}
	if a.Status != b.Status || a.body != b.body || !maps.EqualFunc(a.Header, b.Header, func(x, y []string) bool { return strings.Join(x, "\n") == strings.Join(y, "\n") }) {
		t.Errorf("two answers tell the e-mails apart:\n%s %v\n%s\n\n%s %v\n%s", a.Status, a.Header, a.body, b.Status, b.Header, b.body)
	}
}

func TestSignUpTellsWhatIsWrongAtEachField(t *testing.T) {
	t.Parallel()
	s := open(t)
	before := s.picture()
	b := s.browser()
	page := b.post("/signup", "name", "", "email", "carol", "password", "short").is(http.StatusUnprocessableEntity).
		says("your name").says("e-mail address").says("at least 8 characters")
	if page.field("email") != "carol" || strings.Contains(page.body, "short") {
		t.Error("the form must keep the e-mail and forget the password")
	}
	s.unchanged(before, "a bad sign-up")
	if wrong := b.post("/login", "email", "alice@example.com", "password", "secret guess"); wrong.field("email") != "alice@example.com" || strings.Contains(wrong.body, "secret guess") {
		t.Error("the sign-in form must keep the e-mail and forget the password")
	}
}

func TestSeedAccountsAreShownInADemoOnly(t *testing.T) {
	t.Parallel()
	if strings.Contains(open(t).browser().get("/login").body, "coat-check-alice") {
		t.Error("the sign-in page tells a password")
	}
	demo := open(t, func(c *web.Config) { c.Demo = true })
	if !strings.Contains(demo.browser().get("/login").body, "coat-check-alice") {
		t.Error("the demo's sign-in page does not tell how to sign in")
	}
}
