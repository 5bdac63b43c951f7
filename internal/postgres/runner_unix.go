//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// A runner starts Postgres's programs. They refuse to run as root, so for
// root it starts them as another user.
type runner struct {
	as   *syscall.Credential // nil: as ourselves
	name string              // of that user, for messages
}

func isRoot() bool { return os.Geteuid() == 0 }

// newRunner picks the user: ourselves if we are not root; the owner of the
// directory if it has one; else the user postgres, or nobody.
func newRunner(d dataDir) (*runner, error) {
	if !isRoot() {
		return &runner{}, nil
	}
	for _, path := range []string{d.data(), d.path} {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 0 {
			return &runner{&syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}, fmt.Sprintf("with the number %d", owner.Uid)}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &runner{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, name}, nil
		}
	}
	return nil, errors.New("root may not run Postgres, and there is no user postgres or nobody to do it; start the shop as an ordinary user")
}

func (r *runner) isOtherUser() bool { return r.as != nil }

// own gives a file or directory of ours to the user.
func (r *runner) own(path string) error {
	if r.as == nil {
		return nil
	}
	return os.Lchown(path, int(r.as.Uid), int(r.as.Gid))
}

// sysProcAttr puts the program into a session of its own, out of reach of the
// terminal's Ctrl-C.
func (r *runner) sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Credential: r.as}
}

// lives reports whether there is a process with this number that could be a
// server of ours.
func lives(pid int) bool { return syscall.Kill(pid, 0) == nil }

var errLocked = errors.New("locked")

// tryLock takes the lock on f, or gives errLocked. The lock goes when f is
// closed or the process ends, however it ends.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// unlock gives the lock up at once. Closing f would not do: a program that
// this process is just about to start holds f, too, for a moment.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// syncDir makes the names in a directory last.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
