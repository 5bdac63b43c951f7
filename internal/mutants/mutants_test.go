package main

import (
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table does not rot: each defence is where it says, and the code without
// it is Go.
func TestEveryMutantFitsItsFile(t *testing.T) {
	t.Parallel()
	names, tests := map[string]bool{}, map[string][]string{}
	for _, m := range table {
		if names[m.name] {
			t.Errorf("%q comes twice", m.name)
		}
		names[m.name] = true
		source, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		mutated, err := m.mutate(string(source))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if filepath.Ext(m.file) == ".go" {
			if _, err := format.Source([]byte(mutated)); err != nil {
				t.Errorf("%s: %v", m.name, err)
			}
		}
		if m.to == m.from || m.run == "" {
			t.Errorf("%s: nothing changes, or every test would run", m.name)
		}
		if tests[m.tests] == nil {
			tests[m.tests] = testsOf(t, m.tests)
		}
		run, _, _ := strings.Cut(m.run, "/") // what follows is a part of a test
		if !slices.ContainsFunc(tests[m.tests], regexp.MustCompile(run).MatchString) {
			t.Errorf("%s: no test of %s is called %q", m.name, m.tests, run)
		}
	}
}

// testsOf names the tests of a package.
func testsOf(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(source, -1) {
			names = append(names, string(match[1]))
		}
	}
	return names
}

func TestMutantTakesOneTextOut(t *testing.T) {
	t.Parallel()
	m := mutant{file: "x.go", from: "a < b", to: "true"}
	if got, err := m.mutate("if a < b {}"); got != "if true {}" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, source := range []string{"", "if a < c {}", "if a < b || a < b {}"} {
		if got, err := m.mutate(source); err == nil || !strings.Contains(err.Error(), "x.go") {
			t.Errorf("%q becomes %q, %v; want an error that names the file", source, got, err)
		}
	}
}

func TestOnlyAFailedTestKills(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"--- FAIL: TestX (0.01s)\n    x_test.go:1: no\nFAIL\n":                     "TestX",
		"--- FAIL: TestX (0.01s)\n    --- FAIL: TestX/y (0s)\n":                    "TestX/y",
		"--- FAIL: TestX (0.01s)\n--- FAIL: TestXY (0s)\n":                         "TestX",
		"\npanic: test timed out after 1m0s\n":                                     "(it hangs)",
		"ok  \tcoatcheck/x\t0.1s\n":                                                "",
		"# coatcheck/x\nx.go:1: undefined: y\nFAIL x [build failed]\n":             "",
		"the page says --- FAIL: nothing\n":                                        "",
		"--- FAIL: TestX (0s)\n    process.go:40: build the shop: exit status 1\n": "",
	} {
		if got := killer(output); got != want {
			t.Errorf("%q is a failure of %q, want %q", output, got, want)
		}
	}
}
