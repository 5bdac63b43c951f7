//go:build unix

package postgres

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
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
	code := m.Run()
	os.RemoveAll(madeDir)
	os.Exit(code)
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

// made is a directory in which a server has been and gone.
var (
	madeDir string // for TestMain to remove
	made    = sync.OnceValues(func() (dir string, err error) {
		if madeDir, err = os.MkdirTemp("", "coatcheck-test-"); err != nil {
			return "", err
		}
		s, err := Start(context.Background(), Config{DataDir: madeDir})
		if err != nil {
			return "", err
		}
		return madeDir, s.Stop()
	})
)

// usedDir is a copy of made, which costs a tenth of making another.
func usedDir(t *testing.T) string {
	t.Helper()
	original, err := made()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(openDir(t), "used")
	if out, err := exec.Command("cp", "-pR", original, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
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
	for range 3000 { // a minute, for busy machines
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("waited in vain until ", what)
}
