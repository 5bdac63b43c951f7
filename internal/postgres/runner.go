package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// command is a program to be run in dir by the right user. It gets next to
// nothing of our environment: PGDATA and the like would mislead it, and the
// shop's secrets are not its business.
func (r *runner) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "TMPDIR", "SystemRoot", "TEMP", "TMP"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = r.sysProcAttr()
	cmd.WaitDelay = 5 * time.Second // for children that a killed initdb leaves
	return cmd
}

// writeFile writes a new file, down to the disk, that the user owns and
// nobody else may read.
func (r *runner) writeFile(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return r.own(path)
}

// takeLock makes sure that no other shop uses the directory, until release.
func (d dataDir) takeLock() (release func(), err error) {
	f, err := os.OpenFile(d.lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("SHOP_DATA_DIR: cannot write in %s: %w", d.path, err)
	}
	switch err := tryLock(f); {
	case errors.Is(err, errLocked):
		f.Close()
		return nil, fmt.Errorf("SHOP_DATA_DIR: another shop is using %s; stop it or name another directory", d.path)
	case err != nil:
		f.Close()
		return nil, fmt.Errorf("SHOP_DATA_DIR: lock %s: %w", d.lock(), err)
	}
	return func() {
		_ = unlock(f) // it held, so it can be given up
		f.Close()
	}, nil
}
