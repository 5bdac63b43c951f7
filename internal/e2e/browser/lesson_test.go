package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What there is to learn is there for those who have JavaScript switched off.
func TestLessonNeedsNoScript(t *testing.T) {
	t.Parallel()
	visitor := sitDown(t, open(t).URL)
	visitor.forbidScripts()
	shows := func(what ...string) {
		t.Helper()
		for _, text := range what {
			if body := visitor.body(); !strings.Contains(body, text) {
				t.Errorf("%s does not show %q:\n%s", visitor.path(), text, body)
			}
		}
	}
	unfold := func() { visitor.run(chromedp.Click(`#xray summary`, chromedp.NodeVisible)) }

	visitor.visit("/")
	unfold()
	shows("You carry none, and nothing needed remembering.")
	visitor.take("Camel Overcoat")
	unfold()
	shows("The session: load", "FROM sessions s WHERE key = $1", "1 item", "30 min")
	visitor.follow("POST /cart/items")
	shows("The session: create", "HttpOnly", "SameSite=Lax")
	visitor.visit("/login")
	visitor.signIn("alice")
	unfold()
	visitor.follow("POST /login")
	shows("The session: move", "Before", "After")
	visitor.visit("/xray")
	shows("Session of a guest", "torn", "Issued at the sign-in.")
	visitor.press("Sign out")
	unfold()
	shows("The request before this one", "The session: delete", "Ended by signing out.")
	visitor.visit("/learn")
	visitor.follow("A planted ID must not survive")
	shows("func (m *Manager) SignIn(")
	visitor.untroubled()
}

// The clocks are the server's; a script lets them run down in between.
func TestClocksRunDown(t *testing.T) {
	t.Parallel()
	visitor := arrive(t, open(t))
	visitor.take("Camel Overcoat")
	visitor.run(chromedp.Click(`#xray summary`, chromedp.NodeVisible))
	const clock = `document.querySelector('#xray .clock-text').textContent`
	first := ask[string](visitor, clock)
	visitor.run(chromedp.Poll[chromedp.Void](clock + ` !== ` + "`" + first + "`"))
	if now := ask[string](visitor, clock); !strings.HasPrefix(now, "30 min ") {
		t.Errorf("the idle clock went from %q to %q", first, now)
	}
	visitor.untroubled()
}
