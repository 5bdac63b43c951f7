package browser_test

import (
	"fmt"
	"testing"

	"coatcheck/internal/e2e/axe"

	"github.com/chromedp/chromedp"
)

// No page stands in anybody's way, as far as a program can tell: axe-core
// looks at each, with everything opened that can be opened, light and dark, on
// a phone and on a desk.
func TestAxeFindsNothing(t *testing.T) {
	t.Parallel()
	script, err := axe.Script()
	if err != nil {
		t.Fatal(err)
	}
	shop, db := openWithDatabase(t)
	visitor := sitDown(t, shop.URL)
	looked := 0
	tour(visitor, db, func(what string) {
		t.Helper()
		visitor.run(chromedp.Evaluate[chromedp.Void](script))
		for _, at := range []struct {
			scheme string
			width  int64
		}{{"light", 390}, {"dark", 390}, {"light", 1280}, {"dark", 1280}} {
			visitor.prefer(at.scheme)
			visitor.run(chromedp.EmulateViewport(at.width, 800))
			for _, v := range visitor.violations() {
				t.Errorf("%s (%s), %s, %d wide: %s", what, visitor.path(), at.scheme, at.width, v)
			}
			looked++
		}
	})
	if looked == 0 {
		t.Error("axe-core has looked at nothing")
	}
}

// A violation is a rule of axe-core's, and what breaks it.
type violation struct {
	Rule, Impact, Help string
	At                 []string // selectors
}

func (v violation) String() string {
	return fmt.Sprintf("%s (%s): %s: %q", v.Rule, v.Impact, v.Help, v.At)
}

func (p *person) violations() []violation {
	p.t.Helper()
	found, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]violation](`
		axe.run(document, {
			resultTypes: ['violations'],
			runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
		}).then(results => results.violations.map(v => ({
			Rule: v.id, Impact: v.impact, Help: v.help, At: v.nodes.map(n => n.target.join(' ')),
		})))`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return found
}
