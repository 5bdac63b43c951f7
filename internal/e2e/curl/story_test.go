// Package curl_test plays the story with a shell and curl. It is by itself
// because it needs them.
package curl_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/story"
)

func TestMain(m *testing.M) { process.Main(m) }

// Whoever has a shell and curl can play all parts.
func TestStoryRunsAsCurlLines(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	first := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	second := process.Open(t, "DATABASE_URL="+database, "SHOP_DEMO=true")
	code, lines := process.Run(t, nil, "story", "--curl", "--url", first.URL, "--url", second.URL)
	if code != 0 {
		t.Fatalf("code %d:\n%s", code, lines)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh")
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}
	shell.Stdin = strings.NewReader(lines)
	text, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var got, want []string
	for _, m := range regexp.MustCompile(`(?m)^HTTP/1.1 (\d+)`).FindAllStringSubmatch(string(text), -1) {
		got = append(got, m[1])
	}
	greeting := 0
	for _, s := range story.Alice.Steps {
		if s.Ask != nil {
			want = append(want, strconv.Itoa(s.Expect.Status))
		}
		if s.Expect.SignedIn == "Alice" {
			greeting++
		}
	}
	greeted := strings.Count(string(text), `>Alice`)
	if !slices.Equal(got, want) || greeted != greeting {
		t.Errorf("the lines are answered with\n%s, want\n%s, and greet Alice %d times, want %d:\n%s", got, want, greeted, greeting, text)
	}
	db, err := postgres.Open(t.Context(), database, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var left int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&left); err != nil || left != 0 {
		t.Errorf("the lines have left %d sessions, %v", left, err)
	}
}
