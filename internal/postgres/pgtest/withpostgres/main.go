// Command withpostgres runs a command, such as all the tests, with one
// Postgres server for the whole run:
//
//	withpostgres [-on container|local|any] -- go test ./...
//
// It takes the server that pgtest would take, tells the command of it by
// SHOP_TEST_DATABASE_URL, and stops it in the end. Its last lines say what
// ran, how it ended, and on which Postgres. Its exit code is the command's.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"coatcheck/internal/postgres/pgtest"
)

func main() {
	on := flag.String("on", cmp.Or(os.Getenv("SHOP_TEST_POSTGRES"), "any"), "what to run Postgres on: `container`, local or any")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpostgres [-on container|local|any] -- command [argument ...]")
		os.Exit(2)
	}
	os.Exit(run(*on, flag.Args()))
}

func run(on string, command []string) int {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	started := make(chan error, 1)
	var server pgtest.Server
	go func() {
		var err error
		server, err = pgtest.Start(ctx, on, say)
		started <- err
	}()
	select {
	case err := <-started:
		if err != nil {
			say(err.Error())
			return 1
		}
	case sig := <-signals:
		cancel()
		if <-started == nil {
			stop(server)
		}
		say("ended by " + sig.String())
		return 1
	}
	defer stop(server)
	fmt.Println("Postgres:", server)

	begin := time.Now()
	err := execute(server, command, signals)
	took := time.Since(begin).Round(100 * time.Millisecond)
	result, code := "ok", 0
	if err != nil {
		result, code = "FAILED ("+err.Error()+")", 1
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = max(exit.ExitCode(), 1) // -1 if a signal ended it
	}
	fmt.Printf("\nRan:      %s\nResult:   %s, in %v\nPostgres: %s\n", strings.Join(command, " "), result, took, server)
	return code
}

// execute runs the command and passes on the signals that are meant for it.
func execute(server pgtest.Server, command []string, signals <-chan os.Signal) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), server.Settings()...)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			return err
		case sig := <-signals:
			_ = cmd.Process.Signal(sig) // it may just have ended
		}
	}
}

func stop(server pgtest.Server) {
	if err := server.Stop(); err != nil {
		say(err.Error())
	}
}

func say(line string) { fmt.Fprintln(os.Stderr, "withpostgres:", line) }
