package servers

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5"
)

// PostgresServer is a Postgres with data of its own, at one address for as
// long as the test runs. Unlike the one of pgtest, which trades safety for
// speed, it has the settings that Postgres comes with: what it has committed
// is on disk.
type PostgresServer struct {
	*Server
	URL string // of the shop's database
	bin string
	dir string // of the data
}

// Postgres makes new data, in the way in which the shop does that for a
// Postgres of its own, and starts a server on them.
func Postgres(t testing.TB) *PostgresServer {
	t.Helper()
	home := tempDir(t)
	// Throwaway is for the making alone: the data do not remember it.
	made, err := postgres.Start(t.Context(), postgres.Config{DataDir: home, Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := made.Stop(); err != nil {
		t.Fatal(err)
	}
	p := newPostgres(t, made.Binaries().Dir, filepath.Join(home, "data"), made.URL())
	p.Start()
	return p
}

// tempDir is a directory that goes with the test, and that the user may get to
// who runs Postgres for root. (t.TempDir's are closed.)
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "coatcheck-postgres-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// newPostgres prepares a server at an address that is new, with the rest of
// the URL as given. Who owns the directory of the data is to run it.
func newPostgres(t testing.TB, bin, dir, database string) *PostgresServer {
	t.Helper()
	u := parse(t, database)
	u.Host = freeAddr(t)
	p := &PostgresServer{URL: u.String(), bin: bin, dir: dir}
	p.Server = &Server{t: t, Addr: u.Host, dir: dir, as: owner(t, dir), args: []string{
		filepath.Join(bin, "postgres"), "-D", dir, "-c", "listen_addresses=127.0.0.1", "-c", "port=" + u.Port(),
		"-c", "unix_socket_directories=", "-c", "lc_messages=C", "-c", "timezone=UTC",
		"-c", "wal_retrieve_retry_interval=100ms", // or a standby may sleep for 5 s before it hears that it leads
	}}
	t.Cleanup(p.Kill)
	return p
}

func parse(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// owner is the user whose file it is, if that is not us.
func owner(t testing.TB, path string) *syscall.Credential {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	of := info.Sys().(*syscall.Stat_t)
	if int(of.Uid) == os.Getuid() {
		return nil
	}
	return &syscall.Credential{Uid: of.Uid, Gid: of.Gid}
}

// Start runs the server, once more after a Kill, and waits until it has
// recovered and lets people in.
func (p *PostgresServer) Start() {
	p.t.Helper()
	p.Server.Start()
	p.until("lets people in", func() bool {
		conn, err := pgx.Connect(context.Background(), p.URL)
		if err == nil {
			conn.Close(context.Background())
		}
		return err == nil
	})
}

// Kill ends the server and each of its processes like a power cut. The first
// of them is held meanwhile, so that it neither notices nor starts another.
// (Where there is no /proc to find the others by, they notice that the first
// is gone, and end themselves.)
func (p *PostgresServer) Kill() {
	if p.cmd == nil {
		return // it was never started
	}
	p.signal(syscall.SIGKILL)
	p.Server.Kill() // waits for all of them: they share an output
}

// Hang lets the server fall silent: nothing at its address refuses anybody,
// and nothing answers, until it is killed.
func (p *PostgresServer) Hang() { p.signal(syscall.SIGSTOP) }

// signal holds the first process and signals to the others.
func (p *PostgresServer) signal(s syscall.Signal) {
	if first := p.cmd.Process; first != nil && first.Signal(syscall.SIGSTOP) == nil {
		for _, pid := range children(first.Pid) {
			_ = syscall.Kill(pid, s)
		}
	}
}

// children lists the processes that another one has started.
func children(of int) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range all {
		text, _ := os.ReadFile(file)
		// The name is in parentheses, and may have spaces in it. After it
		// come the state and the parent.
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[1] == strconv.Itoa(of) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// Standby starts a second server that follows this one, in the way of Follow.
func (p *PostgresServer) Standby() *PostgresServer {
	p.t.Helper()
	dir := filepath.Join(tempDir(p.t), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		p.t.Fatal(err)
	}
	if p.as != nil {
		if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o711), os.Chown(dir, int(p.as.Uid), int(p.as.Gid))); err != nil {
			p.t.Fatal(err)
		}
	}
	standby := newPostgres(p.t, p.bin, dir, p.URL)
	standby.Follow(p)
	return standby
}

// Follow makes a server that does not run into a standby of another, on a copy
// of its data. From then on a commit there is answered when it is on both
// disks: whichever server is lost, nothing is that was acknowledged.
func (p *PostgresServer) Follow(leader *PostgresServer) {
	p.t.Helper()
	old, err := filepath.Glob(filepath.Join(p.dir, "*"))
	for _, file := range old {
		err = errors.Join(err, os.RemoveAll(file))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	from := parse(p.t, leader.URL)
	from.RawQuery = "sslmode=disable" // an older libpq does not know all that is in a URL of ours
	p.run("pg_basebackup", "-D", p.dir, "-R", "-N", "-c", "fast", "-d", from.String())
	p.Start()

	conn, err := pgx.Connect(p.t.Context(), leader.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if _, err := conn.Exec(p.t.Context(), sql); err != nil {
			p.t.Fatal(err)
		}
	}
	p.until("writes along", func() bool {
		var along bool
		err := conn.QueryRow(p.t.Context(), `SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'`).Scan(&along)
		return err == nil && along
	})
}

// Promote makes the one that has followed the one that leads.
func (p *PostgresServer) Promote() {
	p.t.Helper()
	p.run("pg_ctl", "promote", "-w", "-D", p.dir)
}

// run runs one of Postgres's tools as the user whose data it is.
func (p *PostgresServer) run(tool string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(filepath.Join(p.bin, tool), args...)
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Credential: p.as}
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", tool, err, out)
	}
}
