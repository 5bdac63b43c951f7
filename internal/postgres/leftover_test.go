//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestAServerLeftByAKilledShopIsStoppedAndLosesNothing(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	dead := startShop(t, dir)
	execSQL(t, dead.url, oneCoat)
	if err := dead.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = dead.Wait()
	leftover := pidOf(t, dir)
	wantCoat(t, dead.url) // the server has survived its shop

	s := start(t, dir)
	wantCoat(t, s.URL())
	waitUntil(t, "the leftover server is gone", func() bool { return !lives(leftover) })
}

func TestAKilledPostgresRecovers(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, dir)
	execSQL(t, s.URL(), oneCoat)
	if err := syscall.Kill(pidOf(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Exited()
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "postgres.log") {
		t.Errorf("Stop does not tell that the server had died: %v", err)
	}
	wantCoat(t, start(t, dir).URL())
}

func TestAKilledPostgresIsWaitedForUntilItsLastProcessHasEnded(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, dir)
	execSQL(t, s.URL(), oneCoat)
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	last := int(conn.PgConn().PID())
	if err := errors.Join(syscall.Kill(last, syscall.SIGSTOP), syscall.Kill(pidOf(t, dir), syscall.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	<-s.Exited()
	_ = s.Stop()
	var letGo sync.WaitGroup
	letGo.Go(func() {
		for refused := false; !refused && t.Context().Err() == nil; time.Sleep(20 * time.Millisecond) {
			log, _ := os.ReadFile(filepath.Join(dir, "postgres.log"))
			refused = strings.Contains(string(log), "pre-existing shared memory block")
		}
		_ = syscall.Kill(last, syscall.SIGCONT)
	})
	wantCoat(t, start(t, dir).URL())
	letGo.Wait()
}

func TestShopAndPostgresKilledTogetherRecover(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	dead := startShop(t, dir)
	execSQL(t, dead.url, oneCoat)
	_ = syscall.Kill(pidOf(t, dir), syscall.SIGKILL)
	_ = dead.Process.Kill()
	_ = dead.Wait()
	wantCoat(t, start(t, dir).URL())
}

// After a restart of the machine, the number in postmaster.pid may be
// anybody's.
func TestAStrangerWithTheNumberOfADeadServerIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := usedDir(t)
	s := start(t, dir)
	execSQL(t, s.URL(), oneCoat)
	mustStop(t, s)

	stranger := s.run.command(t.Context(), "/", "/bin/sleep", "1000")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("%d\n%s\n1700000000\n%d\n\n127.0.0.1\n", stranger.Process.Pid, s.dir.data(), port)
	if err := s.run.writeFile(s.dir.pidFile(), []byte(file)); err != nil {
		t.Fatal(err)
	}
	wantCoat(t, start(t, dir).URL())
	if !lives(stranger.Process.Pid) {
		t.Error("the stranger was killed")
	}
}

func TestACopyOfTheDataLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	dir, copied := usedDir(t), filepath.Join(openDir(t), "copy")
	original := start(t, dir)
	execSQL(t, original.URL(), oneCoat, `CHECKPOINT`)
	if out, err := exec.Command("cp", "-pR", dir, copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	wantCoat(t, start(t, copied).URL())
	wantCoat(t, original.URL())
}
