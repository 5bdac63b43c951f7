package pgtest

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// childSetting makes the test binary play other test processes: one that
// starts a local server and hangs, one that panics, one pinned to containers.
const childSetting = "COATCHECK_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childSetting); role != "" {
		beChild(role)
	}
	os.Exit(m.Run())
}

func beChild(role string) {
	srv, err := theServer()
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(srv.admin)
	if role == "panics" {
		panic("as a test may")
	}
	select {}
}

// startChild gives the child and the first line that it writes.
func startChild(t *testing.T, role string, settings ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childSetting+"="+role, urlSetting+"=")
	cmd.Env = append(cmd.Env, settings...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(line)
}

func TestALocalServerEndsWithItsTests(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"is killed", "panics"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			temp := t.TempDir()
			// Postgres's own user must get into it, should we be root.
			for dir := temp; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			child, url := startChild(t, role, pinSetting+"=local", "TMPDIR="+temp)
			if role == "is killed" {
				conn, err := pgx.Connect(t.Context(), url)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close(context.Background())
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			_ = child.Wait()
			waitUntil(t, "the server has ended", func() bool {
				conn, err := pgx.Connect(t.Context(), url)
				if err == nil {
					conn.Close(t.Context())
				}
				return err != nil
			})
			waitUntil(t, "its data is gone", func() bool {
				left, err := os.ReadDir(temp)
				return err == nil && len(left) == 0
			})
		})
	}
}

func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 3000 { // a minute, for busy machines
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("waited in vain until ", what)
}

func TestAPinnedChoiceDoesNotFallBack(t *testing.T) {
	t.Parallel()
	child, line := startChild(t, "pinned", pinSetting+"=container", "DOCKER_HOST=unix:///nonexistent.sock")
	if !strings.HasPrefix(line, "error: "+errNoEngine.Error()) {
		t.Errorf("it says %q", line)
	}
	if child.Wait() == nil {
		t.Error("it did not fail")
	}
}

func TestAPinMustBeKnown(t *testing.T) {
	t.Parallel()
	if _, err := start(t.Context(), "cloud", nil); err == nil || !strings.Contains(err.Error(), pinSetting) {
		t.Errorf("got %v", err)
	}
}

func TestAGivenServerThatDoesNotAnswerIsNamed(t *testing.T) {
	t.Parallel()
	child, line := startChild(t, "given", urlSetting+"=postgres://x@127.0.0.1:1/x")
	if !strings.HasPrefix(line, "error: "+urlSetting) {
		t.Errorf("it says %q", line)
	}
	_ = child.Wait()
}

func TestAHalfMadeTemplateIsMadeAnewOnce(t *testing.T) {
	t.Parallel()
	srv, err := theServer()
	if err != nil {
		t.Fatal(err)
	}
	name := "coatcheck_template_half_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		if err := srv.drop(context.Background(), database{name: name}); err != nil {
			t.Error(err)
		}
	})
	// As a process leaves it that is killed before the migrations.
	if err := srv.exec(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	var group errgroup.Group
	for range 4 {
		group.Go(func() error { return srv.makeTemplate(t.Context(), name) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	clone, err := srv.create(t.Context(), " TEMPLATE "+name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.drop(context.Background(), clone); err != nil {
			t.Error(err)
		}
	}()
	conn, err := pgx.Connect(t.Context(), clone.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var sessions int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&sessions); err != nil {
		t.Error(err)
	}
	entered, err := pgx.Connect(t.Context(), strings.Replace(clone.url, clone.name, name, 1))
	if err == nil {
		entered.Close(t.Context())
		t.Error("the template lets people in")
	}
}
