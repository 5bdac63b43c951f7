package main

import (
	"strings"
	"testing"
	"time"

	"coatcheck/internal/story"
	"coatcheck/internal/xray"
)

// printed prints a transcript with a bit of everything in it.
func printed(colours bool) string {
	s := &story.Story{Title: "A story", Intro: []string{"It begins."}, Cast: []story.Actor{{Name: "Alice", Who: "acts."}}}
	s.Steps = []story.Step{
		{Slug: "ask", Title: "She asks", Why: "To see.", Who: "Alice", Ask: &story.Request{Site: "https://elsewhere.example"}},
		{Slug: "restart", Title: "A restart", Restart: true},
		{Slug: "never", Title: "Never played"},
	}
	x := &xray.Exchange{Room: []xray.Visit{
		{Call: "load", Took: time.Millisecond, Statements: []xray.Statement{{Text: "SELECT\n1", Rows: 1}}},
		{Took: 2 * time.Millisecond, Statements: []xray.Statement{{Text: "SELECT 2"}, {Text: "SELECT 3", Rows: 3}}},
		{Call: "touch", Outcome: "not found"},
	}}
	t := &story.Transcript{Story: s, Stopped: "It ends here.", Played: []story.Played{
		{
			Step: s.Steps[0], Number: 1, Server: "the first server",
			Exchange: &story.Exchange{
				Method: "POST", Path: "/cart/items", Form: []story.Field{{Name: "product", Value: "navy-peacoat"}}, Sent: "abc123…",
				Status: 303, Location: "/\x1b[31mred", Cookies: []string{"session=def456…; Path=/", "notice=added"}, XRay: x,
			},
			Outcomes: []story.Outcome{{Want: "this", Held: true}, {Want: "that", Got: "it did \x1b]0;not\a"}, {Want: "hidden", Unseen: true}},
		},
		{Step: s.Steps[1], Number: 2, Limit: "Cannot be shown."},
	}}
	var b strings.Builder
	(&printer{&b, colours}).print(t)
	return b.String()
}

func TestTranscriptIsPrintedWhole(t *testing.T) {
	t.Parallel()
	out := printed(false)
	rest := out
	for _, want := range []string{
		"A story", "It begins.", "Alice acts.", "demo mode", " 1/3  She asks", "To see.",
		"Alice → the first server   POST /cart/items", "a page of https://elsewhere.example", "product = navy-peacoat",
		"abc123…", "303 See Other → /", "session=def456…; Path=/", "notice=added",
		"●    1.00 ms  SELECT 1 → 1 row\n", "       2.00 ms  SELECT 2 → 0 rows\n", "SELECT 3 → 3 rows\n", "●    0.00 ms  touch not found\n",
		"✓ this\n", "✗ that; it did ", " 2/3  A restart", "Cannot be shown.", "It ends here.", "2 of 3 steps", "1 of 2 expectations did not hold",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Errorf("the output lacks %q, or has it in another place:\n%s", want, out)
			continue
		}
		rest = after
	}
	if strings.Contains(out, "hidden") || strings.Contains(out, "Never played") {
		t.Errorf("what was not seen, or not played, is told:\n%s", out)
	}
}

// Colours are ours alone: a stranger's server must not draw on the terminal.
func TestOnlyTheShopColoursItsOutput(t *testing.T) {
	t.Parallel()
	if out := printed(false); strings.ContainsAny(out, "\x1b\a") {
		t.Errorf("without colours the output is\n%q", out)
	}
	out := printed(true)
	for _, stranger := range []string{"\x1b[31mred", "\x1b]0;", "\a"} {
		if strings.Contains(out, stranger) {
			t.Errorf("a stranger's %q is in the output", stranger)
		}
	}
	for _, ours := range []string{"\x1b[31m✗\x1b[0m", "\x1b[32m✓\x1b[0m", "\x1b[1mShe asks\x1b[0m"} {
		if !strings.Contains(out, ours) {
			t.Errorf("the output lacks %q", ours)
		}
	}
}
