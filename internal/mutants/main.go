// Command mutants takes the shop's defences out, one at a time, and fails
// unless for each of them some test fails:
//
//	withpostgres -- mutants [-run pattern]
//
// A test that passes says little until it has been seen to fail. The code on
// disk is never touched: the go command is told to read another file instead
// of the one that is changed.
//
// The defences are in the files table_*.go, a line or three each.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

func main() {
	pattern := flag.String("run", "", "try only the mutants whose name this `pattern` matches")
	flag.Parse()
	chosen, err := regexp.Compile(*pattern)
	if err != nil || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: mutants [-run pattern]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "coatcheck-mutants-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
	ok := try(ctx, dir, choose(chosen))
	os.RemoveAll(dir)
	if !ok {
		os.Exit(1)
	}
}

func choose(pattern *regexp.Regexp) (chosen []mutant) {
	for _, m := range table {
		if pattern.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	return chosen
}

// atOnce is how many mutants are tried at a time. Most of their time is spent
// on compiling and on waiting for Postgres.
const atOnce = 2

func try(ctx context.Context, dir string, mutants []mutant) (ok bool) {
	begin := time.Now()
	if !healthy(ctx, mutants) {
		return false
	}
	fmt.Printf("the tests pass on the code as it is (%v)\n\n", since(begin))

	results := make([]result, len(mutants))
	next := make(chan int)
	var workers, printing = sync.WaitGroup{}, sync.Mutex{}
	for range atOnce {
		workers.Go(func() {
			for i := range next {
				results[i] = mutants[i].try(ctx, dir, i)
				printing.Lock()
				fmt.Printf("%-8s %6v  %-52s %s\n", results[i].outcome, results[i].took, mutants[i].name, results[i].by)
				printing.Unlock()
			}
		})
	}
	for i := range mutants {
		next <- i
	}
	close(next)
	workers.Wait()

	count := map[string]int{}
	for i, r := range results {
		if count[r.outcome]++; r.outcome != killed {
			fmt.Printf("\n--- %s: %s (%s)\n%s", r.outcome, mutants[i].name, mutants[i].file, r.output)
		}
	}
	fmt.Printf("\nMutants:  %d, of which %d were killed, %d survived and %d could not be tried, in %v\n",
		len(mutants), count[killed], count[survived], count[failed], since(begin))
	return count[killed] == len(mutants)
}

// healthy runs, on the code as it is, all the tests that are to kill mutants:
// a test that fails anyway kills nobody.
func healthy(ctx context.Context, mutants []mutant) bool {
	patterns := map[string][]string{}
	for _, m := range mutants {
		if !slices.Contains(patterns[m.tests], m.run) {
			patterns[m.tests] = append(patterns[m.tests], m.run)
		}
	}
	ok := true
	for _, pkg := range slices.Sorted(maps.Keys(patterns)) {
		output, err := test(ctx, pkg, strings.Join(patterns[pkg], "|"), "")
		if err != nil || strings.Contains(output, "no tests to run") {
			fmt.Printf("the tests of ./%s do not pass on the code as it is: %v\n%s\n", pkg, err, output)
			ok = false
		}
	}
	return ok
}

func since(t time.Time) time.Duration { return time.Since(t).Round(100 * time.Millisecond) }
