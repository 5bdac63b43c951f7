// Package servers runs, for tests, the real servers that the shop can stand on
// or behind: Redis, alone, as a cluster and watched over by sentinels;
// Memcached; HAProxy; and a Postgres to be killed, alone or with a standby.
// Each is a program of its own that can be killed, and started again where it
// was.
package servers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
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
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
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
	file := t.TempDir() + "/haproxy.cfg"
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Addr: addr, env: variables, args: []string{HAProxyProgram(), "-db", "-f", file}}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// HAProxyProgram is in /usr/sbin, which is not in everybody's PATH.
func HAProxyProgram() string {
	if path, err := exec.LookPath("haproxy"); err == nil {
		return path
	}
	return "/usr/sbin/haproxy"
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

// tell runs redis-cli against a server, and gives what it prints.
func tell(t testing.TB, addr string, command ...string) string {
	t.Helper()
	out, err := exec.Command("redis-cli", append([]string{"-h", "127.0.0.1", "-p", port(addr)}, command...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli %s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// Redis starts a Redis that keeps nothing on disk, unless options such as
// "--appendonly", "yes" say otherwise.
func Redis(t testing.TB, options ...string) *Server {
	t.Helper()
	addr := freeAddr(t)
	args := []string{"redis-server", "--bind", "127.0.0.1", "--port", port(addr), "--dir", t.TempDir(), "--save", ""}
	return start(t, addr, append(args, options...)...)
}

// RedisCluster starts a cluster of three masters.
func RedisCluster(t testing.TB, options ...string) []*Server {
	t.Helper()
	var nodes []*Server
	create := []string{"--cluster", "create"}
	for range 3 {
		n := Redis(t, append(options, "--cluster-enabled", "yes", "--cluster-port", port(freeAddr(t)), "--cluster-node-timeout", "5000")...)
		nodes = append(nodes, n)
		create = append(create, n.Addr)
	}
	tell(t, nodes[0].Addr, append(create, "--cluster-yes")...)
	for _, n := range nodes {
		n.until("is part of a cluster", func() bool {
			return strings.Contains(tell(t, n.Addr, "cluster", "info"), "cluster_state:ok")
		})
	}
	return nodes
}

// Sentinels are three that watch over a master with one replica.
type Sentinels struct {
	Addrs           []string
	Name            string // of the master, to the sentinels
	Master, Replica *Server
}

// RedisSentinels starts a master, a replica and three sentinels, of which two
// must agree that a master is gone.
func RedisSentinels(t testing.TB) *Sentinels {
	t.Helper()
	s := &Sentinels{Name: "coats", Master: Redis(t)}
	s.Replica = Redis(t, "--replicaof", "127.0.0.1", port(s.Master.Addr), "--repl-diskless-sync-delay", "0")
	s.Replica.until("follows its master", func() bool {
		return strings.Contains(tell(t, s.Replica.Addr, "info", "replication"), "master_link_status:up")
	})
	for range 3 {
		addr, file := freeAddr(t), t.TempDir()+"/sentinel.conf"
		conf := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor %s 127.0.0.1 %s 2\nsentinel down-after-milliseconds %s 500\nsentinel failover-timeout %s 3000\n",
			port(addr), s.Name, port(s.Master.Addr), s.Name, s.Name)
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		sentinel := start(t, addr, "redis-server", file, "--sentinel")
		s.Addrs = append(s.Addrs, addr)
		sentinel.until("knows the replica", func() bool {
			return strings.Contains(tell(t, addr, "sentinel", "replicas", s.Name), port(s.Replica.Addr))
		})
	}
	return s
}
