package browser_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/e2e/chromium"
	"coatcheck/internal/e2e/process"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func TestMain(m *testing.M) { process.Main(m) }

// patience is how long a test waits for a page. Nothing is decided by it but
// how soon a broken test ends.
const patience = 30 * time.Second

// A person sits at a browser of their own and looks at the shop.
type person struct {
	t   *testing.T
	url string // of the shop
	ctx context.Context

	mu       sync.Mutex
	troubles []string // what the browser has complained about
}

// arrive opens a browser at the shop's front page.
func arrive(t *testing.T, shop *process.Shop) *person {
	t.Helper()
	p := sitDown(t, shop.URL)
	p.visit("/")
	return p
}

// sitDown opens a browser.
func sitDown(t *testing.T, url string) *person {
	t.Helper()
	ctx, close, err := chromium.Open(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := close(); err != nil {
			t.Log("closing the browser:", err)
		}
	})
	p := &person{t: t, url: url, ctx: ctx}
	if err := chromedp.Listen(ctx, p.notice); err != nil {
		t.Fatal(err)
	}
	return p
}

// notice writes down what no page of the shop should make the browser say.
func (p *person) notice(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		p.complain("the console says something: %s", e.Type)
	case *runtime.EventExceptionThrown:
		p.complain("a script failed: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// That a page is a 404 is no trouble (pictures and styles are looked
		// after below), nor that a field for a number comes back with what
		// was typed.
		if e.Entry.Source != log.EntrySourceNetwork && e.Entry.Source != log.EntrySourceRendering {
			p.complain("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *page.EventJavascriptDialogOpening:
		p.complain("a dialog opened: %s", e.Message)
		// Not from here: an event's listener must not wait for the browser.
		go chromedp.Call(p.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, p.url+"/") {
			p.complain("a request to somewhere else: %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Type != network.ResourceTypeDocument && e.Response.Status >= 400 {
			p.complain("%s: %d", e.Response.URL, e.Response.Status)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled { // going on before a page is whole is no failure
			p.complain("a request failed: %s %s", e.Type, e.ErrorText)
		}
	}
}

func (p *person) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, fmt.Sprintf(format, args...))
}

// untroubled expects that the browser has had nothing to complain about.
func (p *person) untroubled() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.troubles)
	for _, trouble := range slices.Compact(p.troubles) {
		p.t.Error(trouble)
	}
}

// run does what no test can go on without.
func (p *person) run(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%v\nat %s, which reads:\n%s", err, p.path(), p.body())
	}
}

// land does something that leads to another page, and gives its status.
func (p *person) land(steps ...chromedp.Action[chromedp.Void]) int64 {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		p.t.Fatalf("%v\nat %s, which reads:\n%s", err, p.path(), p.body())
	}
	return answer.Status
}

// visit types an address.
func (p *person) visit(path string) int64 {
	p.t.Helper()
	return p.land(chromedp.Navigate(p.url + path))
}

// back presses "back". A browser that has kept the page as it was shows it
// without loading it, so this waits for the page to come, not to load. The
// button is pressed a moment later: the answer to this must not be lost with
// the page.
func (p *person) back() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.WaitEvent(page.FrameNavigated, nil, chromedp.Evaluate[chromedp.Void](`void setTimeout(() => history.back())`)))
	if err != nil {
		p.t.Fatalf("back from %s: %v", p.path(), err)
	}
	for ctx.Err() == nil && ask[string](p, `document.readyState`) != "complete" {
	}
}

// follow clicks the link with that text.
func (p *person) follow(text string) {
	p.t.Helper()
	p.clickOn("a", text)
}

// press clicks the button with that text.
func (p *person) press(text string) {
	p.t.Helper()
	p.clickOn("button", text)
}

// clickOn puts the mouse on what a person would recognise by its text.
func (p *person) clickOn(element, text string) {
	p.t.Helper()
	p.land(chromedp.Click(fmt.Sprintf(`//%s[starts-with(normalize-space(), %q)]`, element, text), chromedp.NodeVisible))
}

// uncheck makes forms take whatever is typed, as an attacker's tools do.
func (p *person) uncheck() {
	p.t.Helper()
	p.run(chromedp.Evaluate[chromedp.Void](`
		document.querySelectorAll('main form').forEach(form => form.noValidate = true);
		document.querySelectorAll('main input:not([type=hidden])').forEach(field => field.type = 'text');
		document.querySelectorAll('main [maxlength]').forEach(field => field.removeAttribute('maxlength'));`))
}

// write types into a field, over what is there.
func (p *person) write(field, text string) {
	p.t.Helper()
	p.writeAt(fmt.Sprintf(`main [name=%q]`, field), text)
}

func (p *person) writeAt(at, text string) {
	p.t.Helper()
	p.run(chromedp.Focus(chromedp.CSS(at)), chromedp.Evaluate[chromedp.Void](`document.querySelector('`+at+`').select()`), chromedp.KeyEvent(text))
}

// take puts one piece of a product on the rail into the cart.
func (p *person) take(product string) {
	p.t.Helper()
	p.follow("Coat Check")
	p.follow(product)
	p.press("Add to cart")
}

// signIn signs in at the page of that name.
func (p *person) signIn(name string) {
	p.t.Helper()
	p.write("email", name+"@example.com")
	p.write("password", "coat-check-"+name)
	p.press("Sign in")
}

// forbidScripts switches JavaScript off.
func (p *person) forbidScripts() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		p.t.Fatal(err)
	}
}

// prefer switches between the light and the dark scheme.
func (p *person) prefer(scheme string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromium.Prefer(ctx, scheme); err != nil {
		p.t.Fatal(err)
	}
}

// ask evaluates an expression from outside the page, as a debugger does; that
// works also where scripts are forbidden.
func ask[T any](p *person, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (p *person) path() string {
	p.t.Helper()
	return ask[string](p, `location.pathname + location.search`)
}

func (p *person) body() string {
	p.t.Helper()
	return ask[string](p, `document.body.innerText`)
}

// mark is the text of the element with that ID; "" if there is none.
func (p *person) mark(id string) string {
	p.t.Helper()
	return ask[string](p, `document.getElementById(`+strconv.Quote(id)+`)?.innerText ?? ""`)
}

// message is what the page tells the visitor.
func (p *person) message() string {
	p.t.Helper()
	return ask[string](p, `[...document.querySelectorAll('[role=status], [role=alert]')].map(e => e.innerText).join("\n")`)
}

// is expects that the page knows somebody, with so many pieces in the cart;
// "" is a guest.
func (p *person) is(name, count string) {
	p.t.Helper()
	if gotName, gotCount := p.mark("account-name"), p.mark("cart-count"); gotName != name || gotCount != count {
		p.t.Errorf("%s: signed in as %q with %s pieces; want %q with %s", p.path(), gotName, gotCount, name, count)
	}
}
