package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const module = "coatcheck/"

// An event is a line of go test -json (go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// watch reads go test -json from r, writes to w what plain go test would
// print, and gives what became of each test: "pass", "fail" or "skip", by its
// name as it is in the table.
//
// Of a package that fails it leaves out only the lines that say that a test
// goes on or has passed: a panic or a data race is often reported between the
// lines of a test that has nothing to do with it.
func watch(r io.Reader, w io.Writer) (results map[string]string, err error) {
	results = map[string]string{}
	output := map[string][]string{} // of each package that is still running
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(w, line) // not from test2json
			} else {
				follow(e, output, results, w)
			}
		}
		if err == io.EOF {
			return results, nil
		}
		if err != nil {
			return results, fmt.Errorf("read the tests' output: %w", err)
		}
	}
}

func follow(e event, output map[string][]string, results map[string]string, w io.Writer) {
	ended := e.Action == "pass" || e.Action == "fail" || e.Action == "skip"
	switch {
	case e.Action == "build-output":
		fmt.Fprint(w, e.Output)
	case e.Action == "output":
		output[e.Package] = append(output[e.Package], e.Output)
	case ended && e.Test != "":
		results[strings.TrimPrefix(e.Package, module)+"."+e.Test] = e.Action
	case ended:
		for _, line := range output[e.Package] {
			if e.Action == "fail" && !isChatter(line) || isSummary(line) {
				fmt.Fprint(w, line)
			}
		}
		delete(output, e.Package)
	}
}

// isSummary reports whether go test says with the line how a package did that
// has not failed.
func isSummary(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "?   \t")
}

func isChatter(line string) bool {
	line = strings.TrimLeft(line, " ")
	return strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- PASS: ") || line == "PASS\n"
}

// report says whether every test of the table has run and passed, and in one
// line how many there are.
func report(w io.Writer, results map[string]string) (proven bool) {
	requirements, proves := 0, map[string][]string{} // requirements by test
	for _, s := range table {
		for _, r := range s.requirements {
			requirements++
			for _, name := range r.tests {
				proves[name] = append(proves[name], r.id)
			}
		}
	}
	proven = true
	for _, name := range slices.Sorted(maps.Keys(proves)) {
		if result := cmp.Or(results[name], "not run"); result != "pass" {
			fmt.Fprintf(w, "not proven by this run: %s, by %s: %s\n", strings.Join(proves[name], "; "), name, result)
			proven = false
		}
	}
	outcome := "all ran"
	if !proven {
		outcome = "NOT ALL RAN"
	}
	fmt.Fprintf(w, "Proofs: %d requirements, %d tests, %s\n", requirements, len(proves), outcome)
	return proven
}
