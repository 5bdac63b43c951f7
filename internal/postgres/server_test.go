//go:build unix

package postgres

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childSetting makes the test binary play a shop: it starts a server on the
// directory named, prints its URL, and stops it when its input ends.
const childSetting = "COATCHECK_TEST_SHOP_ON"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childSetting); dir != "" {
		if err := beShop(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func beShop(dir string) error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	s, err := Start(context.Background(), Config{DataDir: dir})
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	go func() {
		<-interrupts
		fmt.Println("interrupted")
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return s.Stop()
}

// A shop is a child process with a server.
type shop struct {
	*exec.Cmd
	url   string
	lines *bufio.Reader
	input io.Closer
}

func startShop(t *testing.T, dir string) *shop {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childSetting+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shop{Cmd: cmd, input: input, lines: bufio.NewReader(output)}
	s.url = s.line(t)
	if !strings.HasPrefix(s.url, "postgres://") {
		t.Fatalf("the shop says %q", s.url)
	}
	return s
}

func (s *shop) line(t *testing.T) string {
	t.Helper()
	line, err := s.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// openDir is a temporary directory that any user may enter, unlike t.TempDir.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "coatcheck-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start runs a server until the test ends.
func start(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Config{DataDir: dir, Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func mustStop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

func execSQL(t *testing.T, url string, sql ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, s := range sql {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

const oneCoat = `CREATE TABLE coats AS SELECT 'camel' AS coat`

func wantCoat(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var coat string
	if err := conn.QueryRow(t.Context(), `SELECT coat FROM coats`).Scan(&coat); err != nil {
		t.Error("the data is lost: ", err)
	}
}

func pidOf(t *testing.T, dir string) int {
	t.Helper()
	pid, _, ok := dataDir{dir}.readPIDFile()
	if !ok {
		t.Fatal("there is no postmaster.pid in ", dir)
	}
	return pid
}

// waitUntil polls for what another process will do soon.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("waited in vain until ", what)
}

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
	s := start(t, openDir(t))
	mustStop(t, s)
	mustStop(t, s)
}

func TestASecondShopOnTheSameDataIsRefused(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, dir)
	_, err := Start(t.Context(), Config{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "another shop is using "+dir) {
		t.Errorf("got %v", err)
	}
	execSQL(t, s.URL(), `SELECT 1`)
}

func TestAServerLeftByAKilledShopIsStoppedAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	dead := startShop(t, dir)
	execSQL(t, dead.url, oneCoat)
	if err := dead.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dead.Wait()
	leftover := pidOf(t, dir)
	wantCoat(t, dead.url) // the server has survived its shop

	s := start(t, dir)
	wantCoat(t, s.URL())
	waitUntil(t, "the leftover server is gone", func() bool { return !lives(leftover) })
}

func TestAKilledPostgresRecovers(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, dir)
	execSQL(t, s.URL(), oneCoat)
	if err := syscall.Kill(pidOf(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Exited()
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "postgres.log") {
		t.Errorf("Stop does not tell that the server had died: %v", err)
	}
	wantCoat(t, start(t, dir).URL())
}

func TestShopAndPostgresKilledTogetherRecover(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	dead := startShop(t, dir)
	execSQL(t, dead.url, oneCoat)
	_ = syscall.Kill(pidOf(t, dir), syscall.SIGKILL)
	_ = dead.Process.Kill()
	_ = dead.Wait()
	wantCoat(t, start(t, dir).URL())
}

func TestTheInterruptOfATerminalIsForTheShopAlone(t *testing.T) {
	t.Parallel()
	shop := startShop(t, openDir(t))
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

// After a restart of the machine, the number in postmaster.pid may be
// anybody's.
func TestAStrangerWithTheNumberOfADeadServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := openDir(t)
	s := start(t, dir)
	execSQL(t, s.URL(), oneCoat)
	mustStop(t, s)

	stranger := s.run.command(t.Context(), "/", "/bin/sleep", "1000")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("%d\n%s\n1700000000\n%d\n\n127.0.0.1\n", stranger.Process.Pid, s.dir.data(), port)
	if err := s.run.writeFile(s.dir.pidFile(), []byte(file)); err != nil {
		t.Fatal(err)
	}
	wantCoat(t, start(t, dir).URL())
	if !lives(stranger.Process.Pid) {
		t.Error("the stranger was killed")
	}
}

func TestACopyOfTheDataLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	dir, copied := openDir(t), filepath.Join(openDir(t), "copy")
	original := start(t, dir)
	execSQL(t, original.URL(), oneCoat, `CHECKPOINT`)
	if out, err := exec.Command("cp", "-pR", dir, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantCoat(t, start(t, copied).URL())
	wantCoat(t, original.URL())
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
	s := start(t, openDir(t))
	for _, secret := range []string{"", "postgres"} {
		url := strings.Replace(s.URL(), s.secret, secret, 1)
		if _, err := pgx.Connect(t.Context(), url); err == nil {
			t.Errorf("the password %q opens the database", secret)
		}
	}
	for _, path := range []string{s.dir.path, s.dir.data(), s.dir.secret(), s.dir.log()} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if path != s.dir.path && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
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
