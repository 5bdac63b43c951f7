package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A mutant is the shop with one defence taken out.
type mutant struct {
	name  string // what is wrong with it
	file  string
	from  string // stands in the file once
	to    string
	tests string // the package whose tests must notice
	run   string // those of them that may, to keep it quick
}

// mutate gives the file with the defence taken out.
func (m mutant) mutate(source string) (string, error) {
	if n := strings.Count(source, m.from); n != 1 {
		return "", fmt.Errorf("%s has the text %d times, not once: %s", m.file, n, m.from)
	}
	return strings.Replace(source, m.from, m.to, 1), nil
}

// What becomes of a mutant.
const (
	killed   = "killed"   // a test has failed
	survived = "SURVIVED" // all tests have passed
	failed   = "ERROR"    // it cannot be told, for example because it did not compile
)

type result struct {
	outcome string
	by      string // the first test that failed
	took    time.Duration
	output  string
}

func (m mutant) try(ctx context.Context, dir string, number int) result {
	begin := time.Now()
	overlay, err := m.overlay(dir, number)
	if err != nil {
		return result{outcome: failed, output: err.Error() + "\n"}
	}
	output, err := test(ctx, m.tests, m.run, overlay)
	r := result{outcome: failed, took: since(begin), output: output}
	if by := killer(output); by != "" {
		r.outcome, r.by = killed, by
	} else if err == nil {
		r.outcome = survived
	} else {
		r.output += err.Error() + "\n"
	}
	return r
}

var failedTest = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// killer gives the first test that failed, and the part of it that did. A test
// that hangs until the test binary's own time is up has failed, too.
func killer(output string) (name string) {
	if strings.Contains(output, "build the shop: ") { // by internal/e2e/process, in the middle of a test
		return ""
	}
	for _, line := range failedTest.FindAllStringSubmatch(output, -1) {
		if name != "" && !strings.HasPrefix(line[1], name+"/") {
			break
		}
		name = line[1]
	}
	if name == "" && strings.Contains(output, "\npanic: test timed out") {
		return "(it hangs)"
	}
	return name
}

// overlay writes what the go command wants to know to read the mutant's file
// instead of the one on disk (go help build).
func (m mutant) overlay(dir string, number int) (path string, err error) {
	here, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(here)
	if err != nil {
		return "", err
	}
	mutated, err := m.mutate(string(source))
	if err != nil {
		return "", err
	}
	instead := filepath.Join(dir, fmt.Sprintf("%d%s", number, filepath.Ext(m.file)))
	if err := os.WriteFile(instead, []byte(mutated), 0o644); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{here: instead}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, fmt.Sprintf("%d.json", number))
	return path, os.WriteFile(path, list, 0o644)
}

const (
	testTime = time.Minute              // after which the test binary gives up, and says where it hangs
	patience = testTime + 2*time.Minute // after which we do; compiling takes a while
)

// test runs a package's tests, with a mutant's overlay if it is not empty. One
// failure is enough, so the first ends it.
func test(ctx context.Context, pkg, run, overlay string) (output string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("it did not end"))
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-count=1", "-failfast",
		"-timeout", testTime.String(), "-run", run, "./"+pkg)
	if overlay != "" { // by the environment, so that it is for tests that build the shop, too
		cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return out.String(), err
	}
	return out.String(), nil
}
