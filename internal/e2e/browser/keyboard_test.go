package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A coat can be bought without a mouse, and it can be seen at any time where
// the keyboard is.
func TestKeyboardBuysACoat(t *testing.T) {
	t.Parallel()
	alice := arrive(t, open(t))

	// The first Tab offers to skip what is the same on every page.
	alice.key(kb.Tab)
	if text := ask[string](alice, `document.activeElement.innerText`); !strings.HasPrefix(text, "Skip") {
		t.Errorf("the first Tab leads to %q, not to the skip link", text)
	}
	alice.canSeeTheFocus()
	alice.key(kb.Enter)
	if id := ask[string](alice, `document.activeElement.id`); id != "main" {
		t.Errorf("the skip link leads to the element %q, not to main", id)
	}

	alice.tabTo(`a[href="/products/camel-overcoat"]`)
	alice.enter()
	alice.tabTo(`input[name=quantity]`)
	alice.key(kb.ArrowUp)
	alice.enter()
	alice.is("", "2")

	alice.tabTo(`a[href="/checkout"]`)
	alice.enter()
	alice.tabTo(`input[name=email]`)
	alice.key("alice@example.com")
	alice.tabTo(`input[name=password]`)
	alice.key("coat-check-alice")
	alice.enter()
	alice.is("Alice", "2")

	alice.tabTo(`textarea[name=address]`)
	alice.key("1 Rail Road")
	alice.tabTo(`main button`)
	alice.land(chromedp.KeyEvent(" "))
	if !strings.HasPrefix(alice.path(), "/orders/") {
		t.Errorf("after the order she is at %s", alice.path())
	}

	alice.tabTo(`form[action="/logout"] button`)
	alice.enter()
	alice.is("", "0")
	alice.untroubled()
}

func (p *person) key(key string) {
	p.t.Helper()
	p.run(chromedp.KeyEvent(key))
}

// enter presses Enter, which leads to another page.
func (p *person) enter() {
	p.t.Helper()
	p.land(chromedp.KeyEvent(kb.Enter))
}

// tabTo presses Tab until what the selector names has the focus.
func (p *person) tabTo(selector string) {
	p.t.Helper()
	for range 100 {
		p.key(kb.Tab)
		p.canSeeTheFocus()
		if ask[bool](p, `document.activeElement.matches('`+selector+`')`) {
			return
		}
	}
	p.t.Fatalf("%s: no Tab leads to %s", p.path(), selector)
}

// canSeeTheFocus expects that what has the focus is in the window, with a line
// around it. (A product's card draws it around the whole card.)
func (p *person) canSeeTheFocus() {
	p.t.Helper()
	visible := ask[bool](p, `(() => {
		const element = document.activeElement, box = element.getBoundingClientRect();
		const outlined = part => {
			const style = getComputedStyle(element, part);
			return style.outlineStyle != 'none' && parseFloat(style.outlineWidth) > 0;
		};
		return (outlined() || outlined('::after')) && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
	})()`)
	if !visible {
		p.t.Errorf("%s: the focus cannot be seen on %s", p.path(), ask[string](p, `document.activeElement.outerHTML`))
	}
}
