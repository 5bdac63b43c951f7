package story_test

import (
	"regexp"
	"strings"
	"testing"

	"coatcheck/internal/story"
)

// What the pages and the player rely on.
func TestAlicesStoryIsWellWritten(t *testing.T) {
	t.Parallel()
	cast := map[string]bool{}
	for _, a := range story.Alice.Cast {
		cast[a.Name] = true
	}
	slugs := map[string]bool{}
	slug := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for i, s := range story.Alice.Steps {
		if !slug.MatchString(s.Slug) || slugs[s.Slug] || s.Anchor() != "step-"+s.Slug {
			t.Errorf("step %d: %q is no name for it", i+1, s.Slug)
		}
		slugs[s.Slug] = true
		kinds := 0
		for _, is := range []bool{s.Ask != nil, s.Carry != nil, s.Restart} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || cast[s.Who] == s.Restart || s.Title == "" || !strings.HasSuffix(s.Why, ".") {
			t.Errorf("step %s: %+v", s.Slug, s)
		}
		if s.Ask != nil && (s.Expect.Status == 0 || s.Expect.Ticket == "" || (s.Expect.XRay == nil) != (s.Ask.Site != "")) {
			t.Errorf("step %s expects too little", s.Slug)
		}
		if s.Ask != nil {
			for _, f := range s.Ask.Form {
				if (f.Name == "password") != f.Secret {
					t.Errorf("step %s: field %s is told, or is not", s.Slug, f.Name)
				}
			}
		}
	}
	if n := len(story.Alice.Steps); n < 15 || n > 25 {
		t.Errorf("the story has %d steps; nobody reads so many, or learns from so few", n)
	}
}

func TestCurlLinesKeepTicketsInJars(t *testing.T) {
	t.Parallel()
	lines := story.Curl(&story.Alice, []string{"https://shop.example"})
	for _, want := range []string{
		"first='https://shop.example'\n", "second='https://shop.example'\n", "There is only one server",
		"-b alice.jar -c alice.jar", "grep session alice.jar > mallory.jar", "__Host-session",
		`--data-urlencode 'password=coat-check-alice'`, `--data-urlencode "order_key=$order_key"`, `"$first$next"`, `"$second/logout"`,
		"-H 'Origin: https://elsewhere.example' -H 'Sec-Fetch-Site: cross-site'",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("the lines lack %s", want)
		}
	}
	if two := story.Curl(&story.Alice, []string{"http://a.example", "http://b.example"}); strings.Contains(two, "only one server") || !strings.Contains(two, "second='http://b.example'\n") {
		t.Error("with two servers the lines know only one")
	}
	if alone := story.Curl(&story.Alice, nil); !strings.Contains(alone, "first='http://localhost:8080'\n") {
		t.Error("without a URL the lines are not for a shop as 'make run' opens it")
	}
}

func TestCurlLinesAreQuoted(t *testing.T) {
	t.Parallel()
	s := &story.Story{Steps: []story.Step{{Who: "Alice", Ask: &story.Request{Method: "POST", Path: "/", Form: []story.Field{{Name: "name", Value: "O'Hara; $(reboot)"}}}}}}
	if lines := story.Curl(s, nil); !strings.Contains(lines, `--data-urlencode 'name=O'\''Hara; $(reboot)'`) {
		t.Errorf("a shell would read more than words into\n%s", lines)
	}
}

func TestWrapKeepsEveryWord(t *testing.T) {
	t.Parallel()
	text := "At a coat check you hand over your coat and get a numbered ticket — später."
	lines := story.Wrap(text, 20)
	for _, line := range lines {
		if len([]rune(line)) > 20 {
			t.Errorf("%q is too long", line)
		}
	}
	if strings.Join(lines, " ") != text || len(lines) < 4 {
		t.Errorf("%q", lines)
	}
}
