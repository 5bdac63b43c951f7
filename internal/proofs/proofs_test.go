package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/internal/sessions"
)

var root = filepath.Join("..", "..")

func TestTableNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	files, err := testFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range table {
		for _, r := range s.requirements {
			if r.id == "" || r.holds == "" || seen[r.id] {
				t.Errorf("%q is empty or comes twice", r.id)
			}
			if len(r.tests) == 0 {
				t.Errorf("%s: no test proves it", r.id)
			}
			seen[r.id] = true
			for i, name := range r.tests {
				if files[function(name)] == "" {
					t.Errorf("%s: there is no %s", r.id, name)
				}
				for _, before := range r.tests[:i] {
					if name == before {
						t.Errorf("%s names %s twice", r.id, name)
					}
				}
			}
		}
	}
	for _, g := range gaps {
		if g.id == "" || g.what == "" || g.why == "" {
			t.Errorf("this gap is not explained: %+v", g)
		}
	}
}

func TestSecurityFileIsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	files, err := testFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != markdown(files) {
		t.Error("SECURITY.md is out of date: go run ./internal/proofs print > SECURITY.md")
	}
}

// ASVS 7.1.1, 7.1.2: what the README promises is what is measured, which are
// the default policies.
func TestReadmeStatesTheLimits(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(readme)), " ")
	policy, kept := sessions.DefaultPolicy, sessions.DefaultKept
	for _, want := range []string{
		fmt.Sprintf("%.0f minutes idle and %.0f hours in all, because", policy.Idle.Minutes(), policy.Lifetime.Hours()),
		fmt.Sprintf("| `--session-idle` | `SHOP_SESSION_IDLE` | `%.0fm` |", policy.Idle.Minutes()),
		fmt.Sprintf("| `--session-lifetime` | `SHOP_SESSION_LIFETIME` | `%.0fh` |", policy.Lifetime.Hours()),
		fmt.Sprintf("%.0f days idle and %.0f days in all,", kept.Idle.Hours()/24, kept.Lifetime.Hours()/24),
		fmt.Sprintf("| `%.0fh`, `%.0fh`: the same, of those who stay signed in |", kept.Idle.Hours(), kept.Lifetime.Hours()),
		fmt.Sprintf("At most %d sessions an account.** One sign-in more ends the oldest.", sessions.DefaultMost),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the README does not say: %s", want)
		}
	}
}

// everyTest is a run in which each test of the table passes.
func everyTest() (results map[string]string) {
	results = map[string]string{}
	for _, s := range table {
		for _, r := range s.requirements {
			for _, name := range r.tests {
				results[name] = "pass"
			}
		}
	}
	return results
}

func TestOnlyATestThatPassedProves(t *testing.T) {
	t.Parallel()
	name := table[0].requirements[0].tests[0]
	for result, want := range map[string]bool{"pass": true, "fail": false, "skip": false, "": false} {
		results := everyTest()
		if results[name] = result; result == "" {
			delete(results, name)
		}
		var said strings.Builder
		if got := report(&said, results); got != want {
			t.Errorf("with a result of %q the table is proven: %t", result, got)
		}
		if strings.Contains(said.String(), "all ran") != want || strings.Contains(said.String(), name) == want {
			t.Errorf("with a result of %q it says:\n%s", result, &said)
		}
	}
}

func TestPeopleSeeWhatGoTestWouldPrint(t *testing.T) {
	t.Parallel()
	const good, bad, broken = module + "good", module + "bad", module + "broken"
	var in strings.Builder
	for _, e := range []event{
		{"run", good, "TestA", ""},
		{"output", good, "TestA", "=== RUN   TestA\n"},
		{"output", bad, "TestB", "=== RUN   TestB\n"},
		{"output", good, "TestA", "    a_test.go:1: said in passing\n"},
		{"output", good, "TestA", "--- PASS: TestA (0.00s)\n"},
		{"pass", good, "TestA", ""},
		{"output", bad, "TestB/x", "    --- FAIL: TestB/x (0.00s)\n"},
		{"output", bad, "TestB/x", "        b_test.go:1: it does not hold\n"},
		{"output", bad, "TestB/y", "    --- PASS: TestB/y (0.00s)\n"},
		{"fail", bad, "TestB/x", ""},
		{"pass", bad, "TestB/y", ""},
		{"fail", bad, "TestB", ""},
		{"output", bad, "TestC", "--- SKIP: TestC (0.00s)\n"},
		{"skip", bad, "TestC", ""},
		{"output", good, "", "PASS\n"},
		{"output", good, "", "ok  \tcoatcheck/good\t0.1s\n"},
		{"pass", good, "", ""},
		{"output", bad, "", "FAIL\tcoatcheck/bad\t0.1s\n"},
		{"fail", bad, "", ""},
		{"build-output", "", "", "x.go:1: not Go\n"},
		{"output", broken, "", "FAIL\tcoatcheck/broken [build failed]\n"},
		{"fail", broken, "", ""},
	} {
		fmt.Fprintf(&in, `{"Action":%q,"Package":%q,"Test":%q,"Output":%q}`+"\n", e.Action, e.Package, e.Test, e.Output)
	}
	in.WriteString("exit status 1") // no JSON, and no line either
	var out strings.Builder
	results, err := watch(strings.NewReader(in.String()), &out)
	if err != nil {
		t.Fatal(err)
	}
	const want = "ok  \tcoatcheck/good\t0.1s\n" +
		"    --- FAIL: TestB/x (0.00s)\n" +
		"        b_test.go:1: it does not hold\n" +
		"--- SKIP: TestC (0.00s)\n" +
		"FAIL\tcoatcheck/bad\t0.1s\n" +
		"x.go:1: not Go\n" +
		"FAIL\tcoatcheck/broken [build failed]\n" +
		"exit status 1"
	if out.String() != want {
		t.Errorf("it prints\n%s\nwant\n%s", &out, want)
	}
	for name, result := range map[string]string{
		"good.TestA": "pass", "bad.TestB": "fail", "bad.TestB/x": "fail", "bad.TestB/y": "pass", "bad.TestC": "skip", "broken.TestD": "",
	} {
		if results[name] != result {
			t.Errorf("%s is %q, want %q", name, results[name], result)
		}
	}
}
