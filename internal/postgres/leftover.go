package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// stopLeftover ends the server that a killed shop left running on our data.
//
// All that points at it is a process number in postmaster.pid, and after a
// restart of the machine that number may be anybody's: signalling it blindly,
// as pg_ctl would, could end some other program. So the server has to prove
// itself first: it answers at the port in that file, takes our password, and
// says that it works on our data. A number that has become a stranger's is
// struck out, because Postgres would refuse to start over it.
func (s *Server) stopLeftover(ctx context.Context, say func(string)) error {
	pid, port, ok := s.dir.readPIDFile()
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for closed := 0; ; {
		if !lives(pid) {
			return nil // Postgres sees that itself, and recovers
		}
		switch s.dir.ask(ctx, port, s.secret) {
		case ours:
			say(fmt.Sprintf("stopping the Postgres that an earlier run left behind (process %d)", pid))
			return s.pgStop()
		case strangers:
			return os.Remove(s.dir.pidFile())
		case nobodys:
			// A server that has just started needs a moment to listen.
			if closed++; closed == 20 {
				return os.Remove(s.dir.pidFile())
			}
		case unclear: // it starts, or it stops
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s names process %d, which lives but does not answer; if it is Postgres, stop it, otherwise delete that file", s.dir.pidFile(), pid)
		case <-poll.C:
		}
	}
}

// What a port says about the process in postmaster.pid.
type answer int

const (
	unclear answer = iota
	ours
	strangers
	nobodys
)

func (d dataDir) ask(ctx context.Context, port int, secret string) answer {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	probe, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		var slow net.Error
		if errors.As(err, &slow) && slow.Timeout() {
			return unclear
		}
		return nobodys
	}
	probe.Close()
	conn, err := pgx.Connect(ctx, loopbackURL(port, secret, "postgres"))
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && refusal.Code != "57P03" { // cannot_connect_now
		return strangers
	}
	if err != nil {
		return unclear
	}
	defer conn.Close(ctx)
	var directory string
	if err := conn.QueryRow(ctx, `SHOW data_directory`).Scan(&directory); err != nil {
		return unclear
	}
	if !sameFile(directory, d.data()) {
		return strangers // of a copy of our data, password and all
	}
	return ours
}

// readPIDFile gives the process number and the port of the server that last
// ran on the data: lines 1 and 4 of postmaster.pid.
func (d dataDir) readPIDFile() (pid, port int, ok bool) {
	text, err := os.ReadFile(d.pidFile())
	if err != nil {
		return 0, 0, false
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < 4 {
		return 0, 0, false
	}
	pid, err1 := strconv.Atoi(strings.TrimSpace(lines[0]))
	port, err2 := strconv.Atoi(strings.TrimSpace(lines[3]))
	return pid, port, err1 == nil && err2 == nil && pid > 0
}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}
