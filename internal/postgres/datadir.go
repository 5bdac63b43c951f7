package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A dataDir is the directory of an embedded server. In it:
//
//	data/           what initdb makes and Postgres writes
//	data/secret     the password, made together with the data
//	postgres.log    what the server says
//	lock            held while a shop uses the directory
//
// data/ belongs to the user that Postgres runs as, and the rest to the shop's:
// when that is root, it must not open files by names which the other can plant.
type dataDir struct{ path string }

func (d dataDir) data() string    { return filepath.Join(d.path, "data") }
func (d dataDir) secret() string  { return filepath.Join(d.data(), "secret") }
func (d dataDir) pidFile() string { return filepath.Join(d.data(), "postmaster.pid") }
func (d dataDir) log() string     { return filepath.Join(d.path, "postgres.log") }
func (d dataDir) lock() string    { return filepath.Join(d.path, "lock") }

// DefaultDataDir is /var/lib/coatcheck/postgres for root, whose home is closed
// to the user that Postgres must run as, and for anyone else
// coatcheck/postgres in $XDG_DATA_HOME, by default ~/.local/share; on Windows
// in %LocalAppData%.
func DefaultDataDir() (string, error) {
	if isRoot() {
		return "/var/lib/coatcheck/postgres", nil
	}
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		base = os.Getenv("LocalAppData")
	}
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("SHOP_DATA_DIR: no home directory to keep the data in (%w); name a directory", err)
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "coatcheck", "postgres"), nil
}

// openDataDir makes the directory if need be and finds out which user is to
// run Postgres in it.
func openDataDir(path string) (d dataDir, run *runner, err error) {
	if path == "" {
		if path, err = DefaultDataDir(); err != nil {
			return d, nil, err
		}
	}
	if path, err = filepath.Abs(path); err != nil {
		return d, nil, fmt.Errorf("SHOP_DATA_DIR: %w", err)
	}
	d = dataDir{path}
	if run, err = newRunner(d); err != nil {
		return d, nil, err
	}
	if err := makeDir(path, run); err != nil {
		return d, nil, fmt.Errorf("SHOP_DATA_DIR: cannot keep data in %s: %w", path, err)
	}
	return d, run, nil
}

// makeDir creates the directory. If it is new or empty, it is closed to
// others, but for another user who is to run Postgres: that one may pass
// through. A directory with something in it stays as it is.
func makeDir(path string, run *runner) error {
	mode := fs.FileMode(0o700)
	if run.isOtherUser() {
		mode = 0o711
		if err := openParents(filepath.Dir(path)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(path, mode); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) > 0 {
		return err
	}
	return os.Chmod(path, mode)
}

// openParents creates the missing directories above one that belongs to
// another user, who must be able to pass through them whatever the umask is.
func openParents(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := openParents(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(path, 0o755)
}

// reachable finds out whether the user who is to run Postgres can get to the
// directory: parents that are closed to it, such as /root, are in the way.
func (d dataDir) reachable(ctx context.Context, bin Binaries, run *runner) error {
	if err := run.command(ctx, d.path, bin.tool("postgres"), "--version").Run(); err != nil {
		return fmt.Errorf("SHOP_DATA_DIR: the user %s, who is to run Postgres, cannot get to %s; name a directory that is open to it", run.name, d.path)
	}
	return nil
}

// major is the version of Postgres that wrote the data; 0 if there is none.
func (d dataDir) major() (int, error) {
	text, err := os.ReadFile(filepath.Join(d.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("SHOP_DATA_DIR: read the data: %w", err)
	}
	number, _, _ := strings.Cut(strings.TrimSpace(string(text)), ".")
	major, err := strconv.Atoi(number)
	if err != nil {
		return 0, fmt.Errorf("SHOP_DATA_DIR: %s names no version: %q", filepath.Join(d.data(), "PG_VERSION"), text)
	}
	return major, nil
}

// initialise makes new data. It works in a directory beside the place and
// renames at the end, so whoever is killed in the middle leaves nothing that
// looks like data.
func (d dataDir) initialise(ctx context.Context, bin Binaries, run *runner, throwaway bool) error {
	d.sweep()
	if _, err := os.Lstat(d.data()); err == nil {
		return fmt.Errorf("SHOP_DATA_DIR: %s exists, but a Postgres server did not make it; move it away or name another directory", d.data())
	}
	work, err := os.MkdirTemp(d.path, unfinished)
	if err != nil {
		return fmt.Errorf("SHOP_DATA_DIR: %w", err)
	}
	defer os.RemoveAll(work)
	if err := makeDir(work, run); err != nil {
		return err
	}
	made := dataDir{work}
	if err := os.Mkdir(made.data(), 0o700); err != nil {
		return err
	}
	if err := run.own(made.data()); err != nil {
		return err
	}
	password := filepath.Join(work, "password")
	if err := run.writeFile(password, []byte(rand.Text())); err != nil {
		return err
	}
	args := []string{"-D", made.data(), "-U", superuser, "--pwfile=" + password,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"}
	if throwaway {
		args = append(args, "--no-sync")
	}
	if out, err := run.command(ctx, work, bin.tool("initdb"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("SHOP_DATA_DIR: make a database in %s: %w: %s", d.path, err, telling(out))
	}
	if err := os.Rename(password, made.secret()); err != nil {
		return err
	}
	if err := syncDir(made.data()); err != nil {
		return err
	}
	if err := os.Rename(made.data(), d.data()); err != nil {
		return err
	}
	return syncDir(d.path) // or a power cut might undo the renaming
}

// unfinished begins the names of directories in which initdb is at work.
const unfinished = "unfinished-"

// sweep removes what an interrupted initialise left behind. The caller holds
// the lock, so nobody is at work in there.
func (d dataDir) sweep() {
	left, _ := filepath.Glob(filepath.Join(d.path, unfinished+"*"))
	for _, dir := range left {
		_ = os.RemoveAll(dir) // in nobody's way; the next run tries again
	}
}

func (d dataDir) readSecret() (string, error) {
	secret, err := os.ReadFile(d.secret())
	if err != nil {
		return "", fmt.Errorf("SHOP_DATA_DIR: the password of the database is lost (%w); put the file back, or move %s away to begin anew", err, d.path)
	}
	return string(secret), nil
}

// openLog opens the log to append, and begins anew when it has grown long.
func (d dataDir) openLog() (*os.File, error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if info, err := os.Stat(d.log()); err == nil && info.Size() > 4<<20 {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(d.log(), flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("SHOP_DATA_DIR: open the log: %w", err)
	}
	return f, nil
}

// logSince is what the server has said since its log had the given size.
func (d dataDir) logSince(size int64) []byte {
	text, _ := os.ReadFile(d.log())
	return text[min(size, int64(len(text))):]
}

// telling finds the line that says what went wrong in the words of a program
// of Postgres's: the last complaint, or else the last line.
func telling(output []byte) string {
	var line string
	for l := range bytes.Lines(output) {
		if l = bytes.TrimSpace(l); len(l) == 0 {
			continue
		}
		complaint := bytes.Contains(l, []byte("FATAL:")) || bytes.Contains(l, []byte("error:"))
		if complaint || !strings.Contains(line, "FATAL:") && !strings.Contains(line, "error:") {
			line = string(l)
		}
	}
	return line
}
