// Package process runs the shop for tests the way a person does: as a program
// of its own, which can be stopped, killed, and started again.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take to do what a test waits for. It is
// long, because nothing is decided by it but how soon a broken test ends.
const patience = time.Minute

var binary struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Binary builds the shop, once for all tests of a package, and says where it is.
func Binary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.dir, binary.err = os.MkdirTemp("", "coatcheck-e2e-"); binary.err != nil {
			return
		}
		os.Chmod(binary.dir, 0o755) // another user may have to run it
		binary.path = filepath.Join(binary.dir, "shop")
		out, err := exec.Command("go", "build", "-o", binary.path, "coatcheck/cmd/shop").CombinedOutput()
		if err != nil {
			binary.err = fmt.Errorf("build the shop: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// Main runs a package's tests and then removes the program they used.
func Main(m *testing.M) {
	code := m.Run()
	if binary.dir != "" {
		os.RemoveAll(binary.dir)
	}
	os.Exit(code)
}

// Shop is one server process after another, at the same address.
type Shop struct {
	t    testing.TB
	Addr string // host:port
	URL  string
	env  []string
	as   *syscall.Credential
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	out  *output
}

// Open starts the shop with settings of the form NAME=value, and returns when
// it is open. It is killed at the end of the test, if it still runs then.
func Open(t testing.TB, settings ...string) *Shop {
	t.Helper()
	s := New(t, settings...)
	s.Start()
	return s
}

// New prepares a shop without starting it.
func New(t testing.TB, settings ...string) *Shop {
	t.Helper()
	s := &Shop{t: t, Addr: FreeAddr(t)}
	s.URL = "http://" + s.Addr
	s.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "SHOP_ADDR=" + s.Addr}, settings...)
	t.Cleanup(func() {
		if s.cmd != nil {
			s.Kill()
		}
	})
	return s
}

// As lets the shop run as another user.
func (s *Shop) As(uid, gid uint32) *Shop {
	s.as = &syscall.Credential{Uid: uid, Gid: gid}
	return s
}

// Start starts the process and waits until the shop is open.
func (s *Shop) Start() {
	s.t.Helper()
	s.Begin()
	s.WaitOpen()
}

// WaitOpen returns when the shop is open.
func (s *Shop) WaitOpen() {
	s.t.Helper()
	s.WaitFor("open at ")
}

// WaitFor returns when the shop has written text.
func (s *Shop) WaitFor(text string) {
	s.t.Helper()
	s.await(strconv.Quote(text), func() bool { return strings.Contains(s.Output(), text) })
}

// Begin starts the process and does not wait.
func (s *Shop) Begin(args ...string) {
	s.t.Helper()
	s.out = &output{}
	s.done = make(chan struct{})
	s.cmd = exec.Command(Binary(s.t), args...)
	s.cmd.Env = s.env
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.Dir = os.TempDir()
	// A group of its own: a Ctrl-C for the tests is not for the shop.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.as}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		cmd.Wait()
		close(done)
	}(s.cmd, s.done)
}

func (s *Shop) await(what string, happened func() bool) {
	s.t.Helper()
	late := time.After(patience)
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !happened() {
		select {
		case <-s.done:
			s.t.Fatalf("waiting for %s, the shop has ended with code %d:\n%s", what, s.cmd.ProcessState.ExitCode(), s.Output())
		case <-late:
			s.t.Fatalf("waiting for %s, in vain:\n%s", what, s.Output())
		case <-poll.C:
		}
	}
}

// Kill ends the process like a power cut.
func (s *Shop) Kill() {
	s.cmd.Process.Kill()
	<-s.done
}

// Interrupt asks the process to close, and does not wait.
func (s *Shop) Interrupt() { s.cmd.Process.Signal(syscall.SIGTERM) }

// Stop asks the process to close and expects that it ends well.
func (s *Shop) Stop() {
	s.t.Helper()
	s.Interrupt()
	if code := s.Exit(); code != 0 {
		s.t.Errorf("asked to close, the shop has ended with code %d:\n%s", code, s.Output())
	}
}

// Exit waits for the end of the process and gives its exit code.
func (s *Shop) Exit() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatalf("the shop does not end:\n%s", s.Output())
	}
	return s.cmd.ProcessState.ExitCode()
}

// Output is what the current process has written so far.
func (s *Shop) Output() string { return s.out.String() }

// Run runs the program with arguments to its end.
func Run(t testing.TB, env []string, args ...string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	text, err := cmd.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// Command prepares another run of the program, with the settings of the shop
// and as its user.
func (s *Shop) Command(args ...string) *exec.Cmd {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	s.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, Binary(s.t), args...)
	cmd.Env, cmd.Dir = s.env, os.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// Result is what an operator's command came to.
type Result struct {
	Code     int
	Out, Err string
}

// Operate runs a command of an operator's, with input for it, to its end.
func (s *Shop) Operate(input string, args ...string) Result {
	s.t.Helper()
	cmd := s.Command(args...)
	var out, problems bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &problems
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		s.t.Fatal(err)
	}
	return Result{cmd.ProcessState.ExitCode(), out.String(), problems.String()}
}

// FreeAddr is an address that nobody listened on a moment ago. It is none of
// those that systems hand out for outgoing connections, one of which might
// else have it before the server comes, or while it is restarted.
func FreeAddr(t testing.TB) string {
	t.Helper()
	const first, some = 10_000, 20_000
	for {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(some))))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}
}

// output collects what a process writes; it may be read meanwhile.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
