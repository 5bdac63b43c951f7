package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"coatcheck/internal/postgres"
)

// startLocal runs Postgres's own programs, on data in a temporary directory.
func startLocal(ctx context.Context, say func(string)) (*server, error) {
	dir, err := os.MkdirTemp("", "coatcheck-pgtest-")
	if err != nil {
		return nil, err
	}
	leash, err := watch(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	srv, err := postgres.Start(ctx, postgres.Config{DataDir: dir, Throwaway: true, Say: say})
	if err != nil {
		return nil, errors.Join(err, leash.Close())
	}
	bin := srv.Binaries()
	return &server{
		admin: srv.URL(),
		is:    fmt.Sprintf("local %s, PostgreSQL %s", bin.Dir, bin.Version),
		stop:  func() error { return errors.Join(srv.Stop(), os.RemoveAll(dir), leash.Close()) },
	}, nil
}

// watchdog waits until its input ends, then kills the server and deletes its
// data. Ctrl-C is for the tests, not for it.
const watchdog = `
trap '' INT TERM HUP
cat >/dev/null
if pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null); then
	kill -QUIT "$pid"
	for second in 1 2 3 4 5; do kill -0 "$pid" && sleep 1; done
fi
rm -rf "$1"
`

// watch starts the watchdog for the server in dir. Its input ends when the
// returned end of a pipe is closed, which the operating system does when this
// process ends, be it by exit, panic or kill -9.
func watch(dir string) (io.Closer, error) {
	cmd := exec.Command("sh", "-c", watchdog, "watchdog", dir)
	leash, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("a local Postgres for tests needs a POSIX shell: %w", err)
	}
	return leash, nil
}
