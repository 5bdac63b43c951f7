package browser_test

import (
	"fmt"

	"github.com/chromedp/chromedp"
)

// A violation is a rule of axe-core's, and what breaks it.
type violation struct {
	Rule, Impact, Help string
	At                 []string // selectors
}

func (v violation) String() string {
	return fmt.Sprintf("%s (%s): %s: %q", v.Rule, v.Impact, v.Help, v.At)
}

// violations are those on the page at which the person is, as it looks now. It
// must have been given axe-core's script.
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
