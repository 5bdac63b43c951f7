package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Binaries is a directory with initdb, postgres and pg_ctl.
type Binaries struct {
	Dir     string
	Version string // such as "17.5"
	Major   int
}

// oldest is the first major version that reads a range of a table's pages without
// reading the others (the sweep of the sessions does).
const oldest = 14

// places are where installers put Postgres; * stands for a version.
var places = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // RHEL, Fedora (PGDG)
	"/usr/libexec/postgresql*",                           // Alpine
	"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew on Apple silicon
	"/usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
	"/usr/local/pgsql/bin",                               // built from source
	`C:\Program Files\PostgreSQL\*\bin`,                  // the Windows installer
}

func (b Binaries) tool(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(b.Dir, name)
}

// findBinaries gives Postgres in the major version that wrote the data, or,
// if major is 0, the newest one on the machine. What the machine does not
// have it downloads.
func findBinaries(ctx context.Context, c Config, run *runner, major int) (Binaries, error) {
	if dir := cmp.Or(c.BinDir, os.Getenv("SHOP_POSTGRES_BIN")); dir != "" {
		bin, err := probe(ctx, dir, run)
		if err != nil {
			return bin, fmt.Errorf("SHOP_POSTGRES_BIN: %w", err)
		}
		if major != 0 && bin.Major != major {
			return bin, fmt.Errorf("SHOP_POSTGRES_BIN: the data is of PostgreSQL %d, but %s holds %s", major, dir, bin.Version)
		}
		return bin, nil
	}
	installed := installedBinaries(ctx, run)
	for _, bin := range installed {
		if bin.Major == major || major == 0 && bin.Major >= oldest {
			return bin, nil
		}
	}
	bin, err := download(ctx, c, run, cmp.Or(major, preferred))
	if err == nil {
		return bin, nil
	}
	if major != 0 {
		return bin, fmt.Errorf("the data is of PostgreSQL %d, and %s; install that version (the data stays as it is): %w", major, have(installed), err)
	}
	return bin, fmt.Errorf("no PostgreSQL on this machine: install it (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql), set DATABASE_URL, or: %w", err)
}

func have(installed []Binaries) string {
	if len(installed) == 0 {
		return "no Postgres is installed here"
	}
	var versions []string
	for _, bin := range installed {
		versions = append(versions, bin.Version)
	}
	return "here is only " + strings.Join(versions, " and ")
}

// installedBinaries lists what is on the machine, newest first.
func installedBinaries(ctx context.Context, run *runner) []Binaries {
	var dirs []string
	if path, err := exec.LookPath("pg_ctl"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, place := range places {
		found, _ := filepath.Glob(place)
		dirs = append(dirs, found...)
	}
	slices.Sort(dirs)
	var all []Binaries
	for _, dir := range slices.Compact(dirs) {
		if bin, err := probe(ctx, dir, run); err == nil {
			all = append(all, bin)
		}
	}
	slices.SortStableFunc(all, func(a, b Binaries) int { return cmp.Compare(b.Major, a.Major) })
	return all
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) ((\d+)[^ \n]*)`)

// probe looks whether the programs are in dir and asks their version, as the
// user who is to run them.
func probe(ctx context.Context, dir string, run *runner) (Binaries, error) {
	bin := Binaries{Dir: dir}
	for _, name := range []string{"initdb", "pg_ctl"} {
		if _, err := exec.LookPath(bin.tool(name)); err != nil {
			return bin, err
		}
	}
	out, err := run.command(ctx, string(filepath.Separator), bin.tool("postgres"), "--version").Output()
	if err != nil {
		return bin, fmt.Errorf("run %s: %w", bin.tool("postgres"), err)
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return bin, errors.New(bin.tool("postgres") + " is not PostgreSQL")
	}
	bin.Version = string(m[1])
	bin.Major, _ = strconv.Atoi(string(m[2]))
	return bin, nil
}
