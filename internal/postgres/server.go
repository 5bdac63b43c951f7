package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

// Config says how to run a Postgres server of the shop's own. The zero value
// is good.
type Config struct {
	// DataDir keeps the data between runs; empty means [DefaultDataDir].
	DataDir string
	// BinDir holds initdb, postgres and pg_ctl. Empty means $SHOP_POSTGRES_BIN,
	// and if that is empty too, what is found on the machine or downloaded.
	BinDir string
	// Mirror is the Maven repository to download from; empty means
	// $SHOP_POSTGRES_MIRROR, or Maven Central.
	Mirror string
	// CacheDir keeps what was downloaded; empty means the user's cache.
	CacheDir string
	// Throwaway trades the safety of the data for speed. For tests alone.
	Throwaway bool
	// Say hears a line about each step that takes long; it may be nil.
	Say func(string)
}

// A Server is a running Postgres that listens on the loopback address alone
// and lets in whoever knows its password.
//
// It runs in a session of its own, so that Ctrl-C in a terminal reaches the
// shop only, which then stops the server when it has answered its last
// request. If the shop is killed, the server lives on; the next Start on the
// same directory stops it and begins again.
type Server struct {
	dir     dataDir
	bin     Binaries
	run     *runner
	port    int
	secret  string
	release func() // gives up the lock on the data directory

	process *os.Process
	exited  chan struct{} // closed when the process has ended
	stop    sync.Once
	stopErr error
}

// Database is the name of the database that Start creates for the shop.
const Database = "shop"

// superuser is the one role on a server of the shop's own.
const superuser = "shop"

// Start runs a server on the data in c.DataDir, which it creates if there is
// none, and returns when the server answers. The caller must Stop it.
func Start(ctx context.Context, c Config) (_ *Server, err error) {
	if c.Say == nil {
		c.Say = func(string) {}
	}
	s := &Server{exited: make(chan struct{})}
	if s.dir, s.run, err = openDataDir(c.DataDir); err != nil {
		return nil, err
	}
	if s.release, err = s.dir.takeLock(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	major, err := s.dir.major()
	if err != nil {
		return nil, err
	}
	if s.bin, err = findBinaries(ctx, c, s.run, major); err != nil {
		return nil, err
	}
	if err := s.dir.reachable(ctx, s.bin, s.run); err != nil {
		return nil, err
	}
	if major == 0 {
		c.Say("making a new database in " + s.dir.path)
		if err := s.dir.initialise(ctx, s.bin, s.run, c.Throwaway); err != nil {
			return nil, err
		}
	}
	if s.secret, err = s.dir.readSecret(); err != nil {
		return nil, err
	}
	if err := s.stopLeftover(ctx, c.Say); err != nil {
		return nil, err
	}
	c.Say(fmt.Sprintf("starting Postgres %s (%s)", s.bin.Version, s.bin.Dir))
	if err := s.launch(ctx, c); err != nil {
		return nil, err
	}
	if err := s.createDatabase(ctx); err != nil {
		return nil, errors.Join(err, s.halt())
	}
	return s, nil
}

// URL is the address of the shop's database, with the password.
func (s *Server) URL() string { return s.url(Database) }

func (s *Server) url(database string) string { return loopbackURL(s.port, s.secret, database) }

// loopbackURL insists on SCRAM, in which both sides prove that they know the
// password and neither tells it. So whoever has grabbed the port in the
// moment before Postgres could take it, or after it died, learns nothing.
func loopbackURL(port int, secret, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, secret),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Path:     database,
		RawQuery: "require_auth=scram-sha-256&sslmode=disable",
	}
	return u.String()
}

// Running gives the URL of the server that a shop runs on the data in the
// directory (empty: [DefaultDataDir]), so that an operator's tools can be used
// beside it; ok is false if there is none.
func Running(ctx context.Context, dir string) (url string, ok bool) {
	if dir == "" {
		var err error
		if dir, err = DefaultDataDir(); err != nil {
			return "", false
		}
	}
	d := dataDir{dir}
	pid, port, ok := d.readPIDFile()
	if !ok || !lives(pid) {
		return "", false
	}
	secret, err := d.readSecret()
	if err != nil || d.ask(ctx, port, secret) != ours {
		return "", false
	}
	return loopbackURL(port, secret, Database), true
}

// Binaries tells which Postgres runs.
func (s *Server) Binaries() Binaries { return s.bin }

// Exited is closed when the server's process has ended, asked or not.
func (s *Server) Exited() <-chan struct{} { return s.exited }

// Stop ends the server: open transactions are rolled back, committed ones are
// on disk. It returns when the process has ended; a second call does nothing.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		defer s.release()
		select {
		case <-s.exited:
			s.stopErr = errors.New("the embedded Postgres had ended by itself; its log is " + s.dir.log())
		default:
			s.stopErr = s.halt()
		}
	})
	return s.stopErr
}

// stopTimeout is enough to write a checkpoint to a slow disk. After that the
// server is killed, and recovers at its next start.
const stopTimeout = time.Minute

// halt ends the process. A server that has only just begun cannot be asked
// yet, since it has not written postmaster.pid; so it asks again.
func (s *Server) halt() error {
	var err error
	for deadline := time.Now().Add(stopTimeout); time.Now().Before(deadline); {
		if err = s.pgStop(); err == nil {
			<-s.exited
			return nil
		}
		select {
		case <-s.exited:
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.Join(err, s.process.Kill())
}

// pgStop asks the server on the data to end, by pg_ctl, because that is the
// one way which works on every system.
func (s *Server) pgStop() error {
	seconds := strconv.Itoa(int(stopTimeout.Seconds()))
	cmd := s.run.command(context.Background(), s.dir.path, s.bin.tool("pg_ctl"),
		"stop", "-D", s.dir.data(), "-m", "fast", "-w", "-t", seconds)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("stop the embedded Postgres: %w: %s", err, telling(out))
	}
	return nil
}
