package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// launch starts the process and waits until it answers. A port that was free
// a moment ago may be taken by then, so it tries three. And when a server has
// been killed, it can take the last of its processes a moment to notice.
func (s *Server) launch(ctx context.Context, c Config) error {
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for ports, begun := 3, time.Now(); ; {
		var err error
		if s.port, err = freePort(); err != nil {
			return err
		}
		s.exited = make(chan struct{})
		err = s.launchOnce(ctx, c)
		switch {
		case errors.Is(err, errPortTaken) && ports > 1:
			ports--
		case errors.Is(err, errLastOnes) && time.Since(begun) < noticing:
			select {
			case <-ctx.Done():
				return err
			case <-poll.C:
			}
		default:
			return err
		}
	}
}

// noticing is far longer than a process of Postgres's takes to notice that the
// server was killed, unless it is in the middle of something big.
const noticing = 10 * time.Second

var (
	errPortTaken = errors.New("the port is taken")
	errLastOnes  = errors.New("processes of a Postgres that was killed still work on the data")
)

func (s *Server) launchOnce(ctx context.Context, c Config) error {
	log, err := s.dir.openLog()
	if err != nil {
		return err
	}
	defer log.Close() // Postgres has its own copy
	start, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	// Not bound to ctx: a cancelled context must not kill a database.
	cmd := s.run.command(context.Background(), s.dir.path, s.bin.tool("postgres"), s.arguments(c.Throwaway)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start Postgres: %w", err)
	}
	s.process = cmd.Process
	go func(exited chan struct{}) {
		_ = cmd.Wait() // its log says why it ended
		close(exited)
	}(s.exited)
	return s.waitUntilReady(ctx, c.Say, start)
}

func (s *Server) arguments(throwaway bool) []string {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(s.port),
		"unix_socket_directories=", // TCP with a password is the only door
		"lc_messages=C",
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off",
	}
	if throwaway {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"max_connections=300")
	}
	args := []string{"-D", s.dir.data()}
	for _, set := range settings {
		args = append(args, "-c", set)
	}
	return args
}

// waitUntilReady polls, since Postgres has no portable way to call back. How
// long recovery after a crash takes depends on the data, so only ctx ends it.
func (s *Server) waitUntilReady(ctx context.Context, say func(string), logStart int64) error {
	poll := time.NewTicker(25 * time.Millisecond)
	defer poll.Stop()
	patience := time.After(10 * time.Second)
	for {
		select {
		case <-s.exited:
			reason := s.dir.logSince(logStart)
			if bytes.Contains(reason, []byte("could not bind")) {
				return errPortTaken
			}
			if bytes.Contains(reason, []byte("pre-existing shared memory block")) {
				return fmt.Errorf("%w: %s (its log is %s)", errLastOnes, telling(reason), s.dir.log())
			}
			return fmt.Errorf("the embedded Postgres ended while starting: %s (its log is %s)", telling(reason), s.dir.log())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("start Postgres: %w", context.Cause(ctx)), s.halt())
		case <-patience:
			say("still waiting for Postgres to recover its data; its log is " + s.dir.log())
		case <-poll.C:
			conn, err := pgx.Connect(ctx, s.url("postgres"))
			var refusal *pgconn.PgError
			if errors.As(err, &refusal) && refusal.Code == "28P01" { // invalid_password
				err := fmt.Errorf("SHOP_DATA_DIR: %s does not hold the password of the database", s.dir.secret())
				return errors.Join(err, s.halt())
			}
			if err == nil {
				return conn.Close(ctx)
			}
		}
	}
}

func (s *Server) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return fmt.Errorf("create the database %s: %w", Database, err)
	}
	defer conn.Close(ctx)
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, Database).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, `CREATE DATABASE `+Database)
	}
	if err != nil {
		return fmt.Errorf("create the database %s: %w", Database, err)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port for Postgres: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
