package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childSetting makes the test binary play withpostgres, or the command that
// withpostgres runs.
const childSetting = "COATCHECK_WITHPOSTGRES_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childSetting) {
	case "":
		os.Exit(m.Run())
	case "withpostgres":
		os.Setenv(childSetting, "command")
		main()
	case "command":
		fmt.Println(os.Getenv("SHOP_TEST_DATABASE_URL"))
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(7)
	}
}

func withPostgres(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), childSetting+"=withpostgres", "SHOP_TEST_DATABASE_URL=", "SHOP_TEST_POSTGRES_IS=")
	return cmd
}

var lastLines = regexp.MustCompile(`\nRan: +\S+ some arguments\nResult: +(.*), in [\d.ms]+\nPostgres: (local \S+, PostgreSQL \d+\S*)\n$`)

func TestTheLastLinesAndTheExitCodeAreTheCommands(t *testing.T) {
	t.Parallel()
	out, err := withPostgres(t, "-on", "local", "--", os.Args[0], "some", "arguments").Output()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != 7 {
		t.Errorf("it ended with %v", err)
	}
	m := lastLines.FindStringSubmatch(string(out))
	if m == nil || m[1] != "FAILED (exit status 7)" {
		t.Fatalf("it wrote\n%s", out)
	}
	if !strings.HasPrefix(string(out), "Postgres: "+m[2]+"\npostgres://") {
		t.Errorf("it wrote\n%s", out)
	}
}

func TestASignalEndsTheCommandAndThenTheServer(t *testing.T) {
	t.Parallel()
	cmd := withPostgres(t, "-on", "local", "--", os.Args[0])
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	input, err := cmd.StdinPipe() // keeps the command waiting
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var url string
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "postgres://") {
	}
	url = lines.Text()
	if err := answers(t.Context(), url); err != nil {
		t.Fatalf("%q: %v", url, err)
	}
	begin := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(out)
	if cmd.Wait() == nil {
		t.Error("it ended well")
	}
	if answers(t.Context(), url) == nil {
		t.Error("the server still runs")
	}
	t.Logf("after %v: %s", time.Since(begin), rest)
}

func answers(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func TestItNeedsACommand(t *testing.T) {
	t.Parallel()
	out, err := withPostgres(t, "-on", "local").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "usage: ") {
		t.Errorf("%v: %s", err, out)
	}
}
