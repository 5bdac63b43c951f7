package classroom_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"coatcheck/internal/classroom"
)

func TestEveryClaimIsThereOnceAndInOrder(t *testing.T) {
	t.Parallel()
	n := 0
	for _, chapter := range classroom.Chapters {
		for _, c := range chapter.Claims {
			n++
			if want := fmt.Sprintf("S%d", n); c.ID != want {
				t.Errorf("%s stands where %s belongs", c.ID, want)
			}
			if c.Title == "" || strings.Count(c.Means+" ", ". ")+strings.Count(c.Means+" ", "? ") != 2 {
				t.Errorf("%s has no title, or does not say in two sentences what it means: %q", c.ID, c.Means)
			}
			if len(c.Seen) == 0 && c.NotYet == "" {
				t.Errorf("%s can be seen nowhere, and does not say so", c.ID)
			}
			if len(c.Seen) > 0 && (len(c.Code) == 0 || len(c.Tests) == 0) {
				t.Errorf("%s can be seen, but names no code or no test", c.ID)
			}
		}
	}
	if n != 34 {
		t.Errorf("there are %d claims, want 34", n)
	}
}

// The page of a claim fails if a function or a test that it names is gone.
func TestEveryClaimShowsItsCodeAndItsTests(t *testing.T) {
	t.Parallel()
	v := visit(t)
	for _, chapter := range classroom.Chapters {
		for _, c := range chapter.Claims {
			status, body := v.get("/learn/" + c.ID)
			if status != http.StatusOK {
				t.Errorf("/learn/%s is answered with %d", c.ID, status)
			}
			for _, name := range append(c.Code, c.Tests...) {
				short := name[strings.LastIndexAny(name, "./")+1:]
				if !strings.Contains(body, short) {
					t.Errorf("/learn/%s does not show %s", c.ID, name)
				}
			}
			if got, want := strings.Count(body, `class="listing"`), len(c.Code)+len(c.Tests); got != want {
				t.Errorf("/learn/%s has %d listings, want %d", c.ID, got, want)
			}
			for _, name := range c.Tests {
				if _, function, _ := strings.Cut(name[strings.LastIndex(name, "/")+1:], "."); !strings.HasPrefix(function, "Test") {
					t.Errorf("%s names %s, which is no test", c.ID, name)
				}
			}
		}
	}
}

func TestEveryPageThatAClaimNamesIsThereWithItsAnchor(t *testing.T) {
	t.Parallel()
	guest, alice := visit(t), visit(t)
	alice.signIn()
	for _, chapter := range classroom.Chapters {
		for _, c := range chapter.Claims {
			for _, seen := range c.Seen {
				path, anchor, _ := strings.Cut(seen.Page, "#")
				v := alice
				if path == "/login" { // shows her nothing
					v = guest
				}
				status, body := v.get(path)
				if seen.Where() == "" {
					t.Errorf("%s is to be seen at %s, which has no name", c.ID, seen.Page)
				}
				if status != http.StatusOK || anchor != "" && !strings.Contains(body, ` id="`+anchor+`"`) {
					t.Errorf("%s is to be seen at %s, which is answered with %d, or has no such anchor", c.ID, seen.Page, status)
				}
			}
		}
	}
}

func TestListOfClaimsHasThemAll(t *testing.T) {
	t.Parallel()
	status, body := visit(t).get("/learn")
	if status != http.StatusOK || strings.Count(body, `class="claim-no"`) != 34 || !strings.Contains(body, `id="differs"`) {
		t.Errorf("/learn is answered with %d and %d claims", status, strings.Count(body, `class="claim-no"`))
	}
}

func TestReadingGuideLeadsThroughFilesThatAreThere(t *testing.T) {
	t.Parallel()
	v := visit(t)
	if status, _ := v.get("/learn/code"); status != http.StatusOK {
		t.Errorf("/learn/code is answered with %d", status)
	}
	for _, walk := range classroom.Walks {
		for _, reading := range walk.Readings {
			for _, file := range append(reading.Tests, reading.File) {
				status, body := v.get("/learn/code/" + file)
				if status != http.StatusOK || !strings.Contains(body, `id="L1"`) || !strings.Contains(body, `class="go-keyword">package<`) {
					t.Errorf("/learn/code/%s is answered with %d, or shows no Go", file, status)
				}
			}
		}
	}
}

func TestOnlyTheShopsSourceCanBeRead(t *testing.T) {
	t.Parallel()
	v := visit(t)
	for _, path := range []string{
		"/learn/S0", "/learn/S35", "/learn/s1", "/learn/code/", "/learn/code/go.mod", "/learn/code/internal/sessions",
		"/learn/code/../../go.mod", "/learn/code/..%2f..%2fgo.mod", "/learn/code//etc/passwd", "/learn/code/%00",
	} {
		if status, _ := v.get(path); status != http.StatusNotFound {
			t.Errorf("%s is answered with %d", path, status)
		}
	}
}
