// Command proofs holds the table of what must hold in this shop and of the
// tests that prove it:
//
//	proofs print                    prints it as SECURITY.md
//	proofs run go test -json ./...  runs the tests, and fails unless every
//	                                test of the table has run and passed
//
// A test that was renamed, taken out or skipped proves nothing, and nobody
// would notice; so the table is held to the tests themselves.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	code := 2
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "print":
		code = printTable()
	case len(args) > 1 && args[0] == "run":
		code = run(args[1:])
	default:
		fmt.Fprintln(os.Stderr, "usage: proofs print\n       proofs run go test -json [argument ...]")
	}
	os.Exit(code)
}

func printTable() int {
	files, err := testFiles(".")
	if err != nil {
		say(err)
		return 1
	}
	fmt.Print(markdown(files))
	return 0
}

// run runs the tests, passes on what a person wants to see of them, and gives
// their exit code, or 1 if they passed and prove less than the table says.
func run(command []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		say(err)
		return 1
	}
	results, readErr := watch(out, os.Stdout)
	if err := errors.Join(readErr, cmd.Wait()); err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			fmt.Println("Proofs: not counted, because the tests failed")
			return max(exit.ExitCode(), 1) // -1 if a signal ended it
		}
		say(err)
		return 1
	}
	if !report(os.Stdout, results) {
		return 1
	}
	return 0
}

func say(err error) { fmt.Fprintln(os.Stderr, "proofs:", err) }
