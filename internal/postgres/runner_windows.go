package postgres

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// A runner starts Postgres's programs. On Windows they drop an
// administrator's rights themselves, so it need not.
type runner struct{ name string }

func isRoot() bool { return false }

func newRunner(dataDir) (*runner, error) { return &runner{}, nil }

func (r *runner) isOtherUser() bool { return false }

func (r *runner) own(string) error { return nil }

// sysProcAttr puts the program into a group of its own, out of reach of the
// terminal's Ctrl-C.
func (r *runner) sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// lives reports whether there is a process with this number.
func lives(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = p.Release()
	return true
}

var errLocked = errors.New("locked")

// tryLock takes the lock on f, or gives errLocked. The lock goes when f is
// closed or the process ends, however it ends.
func tryLock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// unlock gives the lock up.
func unlock(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, new(windows.Overlapped))
}

// syncDir has nothing to do: NTFS keeps a journal of names.
func syncDir(string) error { return nil }
