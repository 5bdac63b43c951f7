package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "coatcheck/"

// mayImport says which of our packages each of our packages may import, so
// the arrows point down only. A package that is not here fails the test until
// somebody has decided where it belongs.
//
// It is a rule for the code that is shipped. Tests may import what they like,
// and need to: a store's tests import pgtest and sessionstest, which nothing
// that is shipped may.
var mayImport = map[string]string{
	"migrations": "",
	"templates":  "",
	"static":     "",

	"internal/sessions":               "",
	"internal/sessions/pgstore":       "internal/sessions internal/batch",
	"internal/sessions/memstore":      "internal/sessions",
	"internal/sessions/casstore":      "internal/sessions",
	"internal/sessions/redisstore":    "internal/sessions internal/sessions/casstore",
	"internal/sessions/memcachestore": "internal/sessions internal/sessions/casstore",
	"internal/sessions/sessionstest":  "internal/sessions",

	"internal/postgres":                     "migrations",
	"internal/postgres/pgtest":              "internal/postgres migrations",
	"internal/postgres/pgtest/withpostgres": "internal/postgres internal/postgres/pgtest migrations",

	"internal/batch": "",

	"internal/money":   "",
	"internal/auth":    "internal/postgres",
	"internal/catalog": "internal/batch internal/money internal/postgres",
	"internal/cart":    "internal/batch internal/money internal/postgres",
	"internal/orders":  "internal/cart internal/catalog internal/money internal/postgres",

	"internal/visitors": "internal/auth internal/batch internal/cart internal/sessions internal/sessions/pgstore",

	"internal/metrics": "internal/sessions",
	"internal/xray":    "internal/sessions",
	"internal/view":    "internal/xray templates static",

	// Pages know a session store by its interface, and leave the choice of
	// one to cmd/shop. The record is in Postgres whatever the store, so they
	// know pgstore for that.
	"internal/web": "internal/auth internal/cart internal/catalog internal/metrics internal/money internal/orders " +
		"internal/postgres internal/sessions internal/sessions/pgstore internal/view internal/visitors internal/xray",

	// The teaching layer stands on the shop; no page of the shop knows of it.
	"internal":           "", // the source code, embedded
	"internal/story":     "internal/sessions internal/view internal/xray",
	"internal/labs":      "internal/sessions internal/view internal/story",
	"internal/classroom": "internal internal/sessions internal/view internal/xray internal/story internal/labs",
}

// cmd/shop sees everything that is shipped, and these packages are not.
var forTests = []string{
	"internal/sessions/sessionstest",
	"internal/postgres/pgtest",
	"internal/postgres/pgtest/withpostgres",
	"internal/proofs",
	"internal/mutants",
}

func isForTests(name string) bool {
	return slices.Contains(forTests, name) || strings.HasPrefix(name, "internal/e2e")
}

func TestImportsPointDownOnly(t *testing.T) {
	t.Parallel()
	for name, imports := range ourPackages(t) {
		allowed, known := mayImport[name]
		if !known && name != "cmd/shop" && !isForTests(name) {
			t.Errorf("%s is a new package: say here what it may import", name)
		}
		for _, path := range imports {
			imported, ours := strings.CutPrefix(path, module)
			if !ours {
				continue
			}
			switch {
			case strings.HasPrefix(name, "internal/e2e"):
			case name == "cmd/shop":
				if isForTests(imported) {
					t.Errorf("cmd/shop ships %s, which is for tests", imported)
				}
			case !slices.Contains(strings.Fields(allowed), imported):
				t.Errorf("%s must not import %s", name, imported)
			}
		}
	}
}

// The lesson can be read, and copied, with nothing but Go.
func TestSessionsImportsTheStandardLibraryAlone(t *testing.T) {
	t.Parallel()
	imports := ourPackages(t)["internal/sessions"]
	if len(imports) == 0 {
		t.Fatal("internal/sessions imports nothing; is it still there?")
	}
	for _, path := range imports {
		host, _, _ := strings.Cut(path, "/")
		if strings.Contains(host, ".") || strings.HasPrefix(path, module) {
			t.Errorf("internal/sessions imports %s", path)
		}
	}
}

// ourPackages gives what the shipped code of each of our packages imports. It
// reads the files itself, rather than ask go list, because go test knows then
// that a file has changed and does not answer from its cache.
func ourPackages(t *testing.T) map[string][]string {
	t.Helper()
	packages := map[string][]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.ContainsAny(d.Name()[:1], "._"), d.Name() == "testdata":
			return fs.SkipDir
		case path == filepath.Join(root, "bench"): // a module of its own
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		name := filepath.ToSlash(dir)
		imports := packages[name]
		for _, spec := range file.Imports {
			imports = append(imports, strings.Trim(spec.Path.Value, `"`))
		}
		packages[name] = imports // also of a package that imports nothing
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}
