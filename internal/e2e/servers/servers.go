// Package servers runs, for tests, the real servers that the shop can stand on
// or behind: Redis, alone, as a cluster and watched over by sentinels;
// Memcached; HAProxy; and a Postgres to be killed, alone or with a standby.
// Each is a program of its own that can be killed, and started again where it
// was.
package servers

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"coatcheck/internal/e2e/process"
)

// patience is how long a server may take to do what a test waits for. Nothing
// is decided by it but how soon a broken test ends.
const patience = time.Minute

// Server is a program that listens at one address, in one process after
// another.
type Server struct {
	t    testing.TB
	Addr string // host:port
	args []string
	env  []string            // besides the tests' own
	dir  string              // to run in; empty: the test's
	as   *syscall.Credential // nil: as ourselves
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	out  *output

	container string // its name, if it runs in one
}

// start runs a program that will listen at addr, and waits until it does. It
// is killed at the end of the test.
func start(t testing.TB, addr string, args ...string) *Server {
	t.Helper()
	s := &Server{t: t, Addr: addr, args: args}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// Start runs the program, once more after a Kill, and waits until it listens.
func (s *Server) Start() {
	s.t.Helper()
	s.out, s.done = &output{}, make(chan struct{})
	s.cmd = s.command()
	s.cmd.Env = append(os.Environ(), s.env...)
	s.cmd.Stdout, s.cmd.Stderr = s.out, s.out
	s.cmd.Dir, s.cmd.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: s.as}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start %s: %v; \"make needs\" installs what is missing", s.args[0], err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(s.cmd, s.done)
	s.until("listens at "+s.Addr, func() bool {
		conn, err := net.Dial("tcp", s.Addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// Kill ends the process like a power cut.
func (s *Server) Kill() {
	if s.cmd.Process == nil {
		return // it could not be started
	}
	if s.container != "" {
		_ = exec.Command("docker", "kill", s.container).Run()
	}
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Output is what the current process has written so far.
func (s *Server) Output() string { return s.out.String() }

func (s *Server) until(what string, happened func() bool) {
	s.t.Helper()
	late := time.After(patience)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for !happened() {
		select {
		case <-s.done:
			s.t.Fatalf("waiting until %s %s, it has ended:\n%s", s.args[0], what, s.out)
		case <-late:
			s.t.Fatalf("waiting until %s %s, in vain:\n%s", s.args[0], what, s.out)
		case <-poll.C:
		}
	}
}

// freeAddr is an address that nobody listened on a moment ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	return process.FreeAddr(t)
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// Memcached starts a memcached, with options of its own such as "-m", "1".
func Memcached(t testing.TB, options ...string) *Server {
	t.Helper()
	addr := freeAddr(t)
	args := []string{"memcached", "-l", "127.0.0.1", "-p", port(addr), "-U", "0"}
	if os.Getuid() == 0 {
		args = append(args, "-u", "nobody") // it refuses to be root
	}
	return start(t, addr, append(args, options...)...)
}

// HAProxy starts a load balancer that listens at addr, as the text of its
// configuration must say, or variables of the form NAME=value that the text
// refers to.
func HAProxy(t testing.TB, addr, configuration string, variables ...string) *Server {
	t.Helper()
	s := &Server{t: t, Addr: addr, env: variables, args: []string{"haproxy", "-db", "-f", write(t, configuration)}}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// CheckHAProxy lets HAProxy say what is wrong with a configuration.
func CheckHAProxy(t testing.TB, configuration string) {
	t.Helper()
	check := &Server{t: t, args: []string{"haproxy", "-c", "-f", write(t, configuration)}}
	if out, err := check.command().CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// write puts a configuration into a file.
func write(t testing.TB, configuration string) (file string) {
	t.Helper()
	file = t.TempDir() + "/configuration"
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
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
