package browser_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// WCAG 2.2, 2.2.1: who has been away is told before the session ends, and need
// only say so to go on.
func TestEndOfASessionIsAnnounced(t *testing.T) {
	t.Parallel()
	alice, db := openWithClock(t)
	alice.visit("/login?next=/account")
	alice.signIn("alice")
	alice.reads("")
	if wait := alice.alarm(); wait < 28*60 || wait > 29*60 {
		t.Errorf("it is to ask again in %.0f s; a session of half an hour wants that two minutes before its end", wait)
	}

	// Time passes. She is told; that she was asked for is no activity.
	alice.key("\t") // somewhere on the page
	writing := ask[string](alice, `document.activeElement.outerHTML`)
	db.sessionEnds(100 * time.Second)
	before := db.deadline()
	alice.ring()
	alice.reads("Your session ends in 2 minutes. Stay")
	if !db.deadline().Equal(before) {
		t.Error("to ask how long the session lasts has made it last longer")
	}
	db.sessionEnds(80 * time.Second)
	alice.ring()
	alice.reads("Your session ends in a minute. Stay")
	if again := ask[string](alice, `document.activeElement.outerHTML`); again != writing {
		t.Errorf("the note has moved the focus to %s", again)
	}

	// She stays, without a mouse, and goes on where she was.
	alice.tabTo(`#timeout button`)
	alice.key("\r")
	alice.until(`timeout.hidden`)
	if left := time.Until(db.deadline()); left < 29*time.Minute {
		t.Errorf("she stays, and the session lasts for %v", left)
	}
	if wait := alice.alarm(); wait < 28*60 {
		t.Errorf("after that it is to ask again in %.0f s", wait)
	}
	if ask[bool](alice, `document.activeElement === document.body || timeout.contains(document.activeElement)`) {
		t.Error("after that the focus is nowhere")
	}

	// In another tab she is active: this one need not worry.
	db.sessionEnds(100 * time.Second)
	alice.ring()
	alice.reads("Your session ends in 2 minutes. Stay")
	db.sessionEnds(10 * time.Minute)
	alice.ring()
	alice.reads("")

	// A tab that comes to the front asks at once: its timer may have slept.
	db.sessionEnds(30 * time.Second)
	ask[bool](alice, `document.dispatchEvent(new Event('visibilitychange'))`)
	alice.until(`!timeout.hidden`)
	alice.reads("Your session ends in less than a minute. Stay")

	// Ended, it leads back to where she was.
	db.sessionEnds(0)
	alice.ring()
	alice.reads("Your session has ended. Sign in again")
	alice.follow("Sign in again")
	if path := alice.path(); path != "/login?next=%2faccount" {
		t.Errorf("the link leads to %s", path)
	}
	alice.untroubled()
}

// At the absolute deadline nothing can be offered but the truth.
func TestLongestLifeIsAnnouncedAsFinal(t *testing.T) {
	t.Parallel()
	alice, db := openWithClock(t)
	alice.visit("/login")
	alice.signIn("alice")
	db.exec(`UPDATE sessions SET until = now() + interval '100 s', idle_until = now() + interval '100 s'`)
	alice.ring()
	alice.reads("Your session ends in 2 minutes, and cannot be made longer. Please finish what you are doing now; then sign in again.")

	// Whichever page she goes to, she is told at once.
	alice.visit("/cart")
	if wait := alice.alarm(); wait != 0 {
		t.Errorf("on the next page it is to ask in %.0f s", wait)
	}
	alice.untroubled()
}

// What a guest would lose is the cart.
func TestGuestIsToldOfTheCart(t *testing.T) {
	t.Parallel()
	guest, db := openWithClock(t)
	guest.visit("/")
	if found := ask[int](guest, `document.querySelectorAll('script, #timeout').length`); found != 0 {
		t.Error("a visitor without a session is given a script to watch it")
	}
	guest.take("Camel Overcoat")
	guest.reads("")
	db.sessionEnds(100 * time.Second)
	guest.ring()
	guest.reads("Your cart will be emptied in 2 minutes. Stay")
	guest.run(chromedp.Click(chromedp.CSS(`#timeout button`)))
	guest.until(`timeout.hidden`)
	db.exec(`UPDATE sessions SET until = now() + interval '100 s', idle_until = now() + interval '100 s'`)
	guest.ring()
	guest.reads("Your cart will be emptied in 2 minutes, and cannot be kept longer. Sign in now, and it comes along.")
	db.sessionEnds(0)
	guest.ring()
	guest.reads("Your session has ended, and your cart is empty. Back to the rail")
	guest.untroubled()
}

// Who tries out a minute's session is told in time, and can go on.
func TestShortSessionIsAnnouncedHalfway(t *testing.T) {
	t.Parallel()
	alice, db := openWithClock(t, "SHOP_SESSION_IDLE=1m")
	alice.visit("/login")
	alice.signIn("alice")
	if wait := alice.alarm(); wait < 20 || wait > 35 {
		t.Errorf("of a minute's session it is to ask in %.0f s", wait)
	}
	db.sessionEnds(30 * time.Second)
	alice.ring()
	alice.reads("Your session ends in less than a minute. Stay")
	alice.run(chromedp.Click(chromedp.CSS(`#timeout button`)))
	alice.until(`timeout.hidden`)
	alice.untroubled()
}

// A server that does not answer is no end of a session.
func TestNothingIsSaidThatIsNotKnown(t *testing.T) {
	t.Parallel()
	shop, db := openWithDatabase(t)
	alice := sitDown(t, shop.URL)
	alice.holdTheClock()
	alice.visit("/login")
	alice.signIn("alice")
	shop.Kill()
	alice.ring()
	alice.reads("")
	if wait := alice.alarm(); wait < 20 || wait > 60 {
		t.Errorf("it is to try again in %.0f s", wait)
	}
	shop.Start()
	db.sessionEnds(100 * time.Second)
	alice.ring()
	alice.reads("Your session ends in 2 minutes. Stay")
}

// Without scripts the note stays where it is: out of sight.
func TestWithoutScriptsNothingIsAnnounced(t *testing.T) {
	t.Parallel()
	alice, db := openWithClock(t)
	alice.forbidScripts()
	alice.visit("/login?next=/account")
	alice.signIn("alice")
	db.sessionEnds(10 * time.Second)
	alice.visit("/account")
	alice.is("Alice", "0")
	alice.reads("")
	alice.untroubled()
}

// openWithClock opens a shop and a browser whose pages wait for nothing: the
// test says when their time is up.
func openWithClock(t *testing.T, settings ...string) (*person, *shopsDatabase) {
	t.Helper()
	shop, db := openWithDatabase(t, settings...)
	p := sitDown(t, shop.URL)
	p.holdTheClock()
	return p, db
}

func (p *person) holdTheClock() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.alarm = null;
		window.setTimeout = (ring, ms) => { window.alarm = { ring, seconds: ms / 1000 }; };
		window.clearTimeout = () => { window.alarm = null; };`})
	if err != nil {
		p.t.Fatal(err)
	}
}

// alarm is how many seconds the page wants to wait.
func (p *person) alarm() float64 {
	p.t.Helper()
	return ask[float64](p, `window.alarm ? window.alarm.seconds : -1`)
}

// ring tells the page that its time is up, and returns when it has done what
// it then does.
func (p *person) ring() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](`window.alarm.ring()`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("the page waits for nothing: %v", err)
	}
}

func (p *person) until(condition string) {
	p.t.Helper()
	for late := time.Now().Add(patience); !ask[bool](p, condition); {
		if time.Now().After(late) {
			p.t.Fatalf("%s: in vain for %s", p.path(), condition)
		}
	}
}

// reads expects what the note says, and what can be done about it, as it is
// seen and as it is announced; "" is that there is no note to be seen.
func (p *person) reads(want string) {
	p.t.Helper()
	seen := ask[string](p, `document.querySelector('#timeout')?.checkVisibility() ? timeout.innerText : ''`)
	if got := strings.Join(strings.Fields(seen), " "); got != want {
		p.t.Errorf("%s: the note reads %q, want %q", p.path(), got, want)
	}
	if want != "" && !strings.Contains(p.message(), seen) {
		p.t.Errorf("%s: the note is not announced", p.path())
	}
}
