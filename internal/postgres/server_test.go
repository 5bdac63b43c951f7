//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestDataSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "new", "directory")
	first := start(t, dir)
	execSQL(t, first.URL(), oneCoat)
	pid := pidOf(t, dir)
	mustStop(t, first)
	if lives(pid) {
		t.Error("a stopped server still runs")
	}
	wantCoat(t, start(t, dir).URL())
}

func TestStopTwiceIsFine(t *testing.T) {
	t.Parallel()
	s := start(t, usedDir(t))
	mustStop(t, s)
	mustStop(t, s)
}

func TestASecondShopOnTheSameDataIsRefused(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, dir)
	_, err := Start(t.Context(), Config{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "another shop is using "+dir) {
		t.Errorf("got %v", err)
	}
	execSQL(t, s.URL(), `SELECT 1`)
}

func TestTheInterruptOfATerminalIsForTheShopAlone(t *testing.T) {
	t.Parallel()
	shop := startShop(t, usedDir(t))
	// As a terminal does: to everyone in the foreground.
	if err := syscall.Kill(-shop.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if line := shop.line(t); line != "interrupted" {
		t.Fatalf("the shop says %q", line)
	}
	execSQL(t, shop.url, `SELECT 1`) // for the requests that are under way
	shop.input.Close()
	if err := shop.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAnUnfinishedStartIsThrownAway(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	unfinished := filepath.Join(dir, unfinished+"123", "data")
	if err := os.MkdirAll(unfinished, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(unfinished, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
	if _, err := os.Stat(unfinished); !errors.Is(err, os.ErrNotExist) {
		t.Error("it is still there: ", err)
	}
}

func TestACancelledStartLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	for _, step := range []string{"making", "starting"} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Start(ctx, Config{DataDir: dir, Say: func(line string) {
			if strings.HasPrefix(line, step) {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("while %s: got %v", step, err)
		}
	}
	s, err := Start(t.Context(), Config{DataDir: dir, Say: func(line string) {
		if strings.HasPrefix(line, "stopping") {
			t.Error("a server was left running")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	mustStop(t, s)
}

func TestNobodyGetsInWithoutThePassword(t *testing.T) {
	t.Parallel()
	s := start(t, usedDir(t))
	for _, secret := range []string{"", "postgres"} {
		url := loopbackURL(s.port, secret, Database)
		if _, err := pgx.Connect(t.Context(), url); err == nil {
			t.Errorf("the password %q opens the database", secret)
		}
	}
	for _, path := range []string{s.dir.data(), s.dir.secret(), s.dir.log(), s.dir.lock()} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
	}
}

// A program that has taken our port asks for the password in clear.
func TestAnImpostorOnThePortLearnsNothing(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	learned := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			learned <- err.Error()
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Read(make([]byte, 1000)) // who calls, and which database
		_, _ = conn.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3})
		answer, _ := io.ReadAll(conn)
		learned <- string(answer)
	}()
	port := l.Addr().(*net.TCPAddr).Port
	if _, err := pgx.Connect(t.Context(), loopbackURL(port, "secret", Database)); err == nil {
		t.Error("the impostor was believed")
	}
	if answer := <-learned; strings.Contains(answer, "secret") {
		t.Errorf("the impostor has learned %q", answer)
	}
}

func TestAPortTakenInTheLastMomentIsGivenUp(t *testing.T) {
	t.Parallel()
	s := start(t, usedDir(t))
	mustStop(t, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.port, s.exited = l.Addr().(*net.TCPAddr).Port, make(chan struct{})
	go func() { // somebody who hangs up on everyone
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			conn.Close()
		}
	}()
	if err := s.launchOnce(t.Context(), Config{}); !errors.Is(err, errPortTaken) {
		t.Errorf("got %v", err)
	}
}

func TestAnOperatorFindsTheRunningServer(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, dir)
	if url, ok := Running(t.Context(), dir); !ok || url != s.URL() {
		t.Errorf("found %q, %v", url, ok)
	}
	mustStop(t, s)
	if url, ok := Running(t.Context(), dir); ok {
		t.Errorf("found %q, which is stopped", url)
	}
}

func TestALostPasswordIsReported(t *testing.T) {
	t.Parallel()
	s := start(t, usedDir(t))
	mustStop(t, s)
	if err := os.WriteFile(s.dir.secret(), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{DataDir: s.dir.path})
	if err == nil || !strings.Contains(err.Error(), s.dir.secret()) {
		t.Errorf("changed: got %v", err)
	}
	if err := os.Remove(s.dir.secret()); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Config{DataDir: s.dir.path})
	if err == nil || !strings.Contains(err.Error(), s.dir.secret()) {
		t.Errorf("removed: got %v", err)
	}
}

// What an operator reads when a directory will not do: the setting, the path.
func TestADirectoryThatWillNotDoIsNamed(t *testing.T) {
	t.Parallel()
	other := filepath.Join(openDir(t), "other")
	precious := filepath.Join(other, "data", "thesis.tex")
	if err := os.MkdirAll(filepath.Dir(precious), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(openDir(t), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(openDir(t), "closed") // to writing or, for root, to Postgres's user
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"in use by something else": other,
		"a file":                   file,
		"closed":                   filepath.Join(closed, "shop"),
	} {
		_, err := Start(t.Context(), Config{DataDir: dir})
		if err == nil || !strings.HasPrefix(err.Error(), "SHOP_DATA_DIR: ") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

// TestAllThisAsAnOrdinaryUser repeats the most telling tests above without root's rights,
// which is how most people run the shop.
func TestAllThisAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if !isRoot() {
		return // then they have run so already
	}
	// Out of the directory that go test keeps to itself; by cp, since a program
	// that some process of ours has open for writing cannot be run.
	binary := filepath.Join(openDir(t), "postgres.test")
	if out, err := exec.Command("cp", os.Args[0], binary).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run, err := newRunner(dataDir{"/nonexistent"})
	if err != nil {
		t.Fatal(err)
	}
	cmd := run.command(t.Context(), "/", binary, "-test.v", "-test.count=1",
		"-test.run=Restart|Second|Left|Killed|Interrupt|Password|WillNotDo")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || strings.Count(out.String(), "--- PASS: ") < 7 {
		t.Errorf("%v\n%s", err, out.String())
	}
}
