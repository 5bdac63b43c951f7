package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
)

// The shop with no settings but where to keep its things: it runs a Postgres
// of its own, as root and as anybody else, and keeps the data between runs.
func TestStoryOnTheShopsOwnPostgres(t *testing.T) {
	t.Parallel()
	for _, user := range users() {
		t.Run(user.name, func(t *testing.T) {
			t.Parallel()
			dir := user.newDir(t)
			shop := user.shop(t, filepath.Dir(dir), "SHOP_DATA_DIR="+dir)
			shop.Start()
			alice := visit(t, shop)
			alice.add("camel-overcoat")
			alice.signIn("alice").is(t, "Alice", "1")

			shop.Stop()
			if left := postgresOn(dir); left != "" {
				t.Errorf("the shop is closed, and there is still\n%s", left)
			}
			shop.Start()
			alice.get("/").is(t, "Alice", "1")

			// Killed, it leaves its Postgres behind. The next one deals with
			// that, and has lost nothing.
			alice.add("navy-peacoat")
			shop.Kill()
			if postgresOn(dir) == "" {
				t.Error("killing the shop has ended its Postgres, too: there is nothing to take over")
			}
			shop.Start()
			alice.get("/cart").is(t, "Alice", "2")

			// Two shops cannot have the same data.
			second := user.shop(t, filepath.Dir(dir), "SHOP_DATA_DIR="+dir)
			second.Begin()
			if code := second.Exit(); code != 1 || !strings.Contains(second.Output(), dir) {
				t.Errorf("a second shop on the same data: code %d, want 1 and a line with %s:\n%s", code, dir, second.Output())
			}
			alice.get("/cart").is(t, "Alice", "2")
			shop.Stop()
			if left := postgresOn(dir); left != "" {
				t.Errorf("the shop is closed, and there is still\n%s", left)
			}
		})
	}
}

// What "make run" is to most people: no settings, and not root.
func TestOrdinaryUserNeedsNoSettings(t *testing.T) {
	t.Parallel()
	ordinary := users()[len(users())-1]
	home := filepath.Dir(ordinary.newDir(t))
	shop := ordinary.shop(t, home)
	shop.Start()
	visit(t, shop).signIn("alice").is(t, "Alice", "0")
	if postgresOn(home) == "" {
		t.Error("the data is not kept in the user's home")
	}
	shop.Stop()
	if left := postgresOn(home); left != "" {
		t.Errorf("the shop is closed, and there is still\n%s", left)
	}
}

func TestDataDirThatCannotBeWrittenIsNamed(t *testing.T) {
	t.Parallel()
	ordinary := users()[len(users())-1]
	dir := ordinary.newDir(t)
	if err := os.Chmod(filepath.Dir(dir), 0o555); err != nil {
		t.Fatal(err)
	}
	shop := ordinary.shop(t, t.TempDir(), "SHOP_DATA_DIR="+dir)
	shop.Begin()
	code := shop.Exit()
	lines := strings.Split(strings.TrimSpace(shop.Output()), "\n")
	if last := lines[len(lines)-1]; code != 1 || len(lines) > 2 || !strings.Contains(last, "SHOP_DATA_DIR") || !strings.Contains(last, dir) {
		t.Errorf("code %d, want 1 and a line with %s after one of progress:\n%s", code, dir, shop.Output())
	}
}

type user struct {
	name string
	id   uint32 // 0 is whoever runs the tests
}

// users are all that the tests can be: an ordinary user only themselves.
func users() []user {
	if os.Getuid() != 0 {
		return []user{{"ordinary user", 0}}
	}
	return []user{{"root", 0}, {"ordinary user", 65534}}
}

// shop prepares a shop that the user will run.
func (u user) shop(t *testing.T, home string, settings ...string) *process.Shop {
	t.Helper()
	settings = append(settings, "HOME="+home)
	if u.id != 0 {
		return process.New(t, settings...).As(u.id, u.id)
	}
	// Without a Postgres on the machine the shop downloads one; once is enough.
	if cache, err := os.UserCacheDir(); err == nil {
		settings = append(settings, "XDG_CACHE_HOME="+cache)
	}
	return process.New(t, settings...)
}

// newDir gives a directory that the user may write to and that the user of
// Postgres can reach; a test's usual one is closed to others.
func (u user) newDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "coatcheck-e2e-data-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	if u.id != 0 {
		if err := os.Chown(parent, int(u.id), int(u.id)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(parent, "postgres")
}

// postgresOn lists the processes that have the directory in their command line.
func postgresOn(dir string) string {
	out, _ := exec.Command("pgrep", "-af", "postgres.*"+dir).Output() // no match is an error, too
	return string(out)
}
