package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

const head = `# Security

The browser holds a random number in a cookie; everything that the number
stands for is a row in Postgres. The server keeps the row under the number's
hash, looks it up at every request, and lets it say no more than "user 1,
cart 7". Under one number these references never change: who signs in gets a
new number, and the old one dies in the same statement. So there is nothing to
forge, nothing to plant, nothing that a slow request could bring back,
and a sign-out is final on every server. All of this is in
[internal/sessions](internal/sessions), an hour's reading.

We reckon with somebody who plants cookies, copies them, guesses passwords,
sends forms from another site, sends a hundred requests at once, and reads a
backup of the database; not with one who runs code in the server or in the
visitor's browser. The yardstick is [OWASP ASVS
5.0](https://owasp.org/www-project-application-security-verification-standard/),
level 1 and all of chapter 7. Each sentence below is held by the tests beside
it: ` + "`make test`" + ` fails unless every one of them has run and passed.
` + "`make mutants`" + ` takes the defences out, one at a time, and fails unless a test
notices.
`

const foot = `
This file is printed from the table in [internal/proofs](internal/proofs):
` + "`go run ./internal/proofs print > SECURITY.md`" + `. To report a weakness, open an
issue.
`

// markdown prints the table. files says where each test is written.
func markdown(files map[string]string) string {
	var b strings.Builder
	b.WriteString(head)
	for _, s := range table {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| ASVS | holds | proven by |\n|---|---|---|\n", s.title, s.intro)
		for _, r := range s.requirements {
			var links []string
			for _, name := range r.tests {
				links = append(links, fmt.Sprintf("[%s](%s)", short(name), files[function(name)]))
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", r.id, r.holds, strings.Join(links, ", "))
		}
	}
	b.WriteString("\n## What is not met, and why\n\n| ASVS | not met | why |\n|---|---|---|\n")
	for _, g := range gaps {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", g.id, g.what, g.why)
	}
	b.WriteString(foot)
	return b.String()
}

// short leaves out the way to the package: internal/web.TestX is web.TestX.
func short(name string) string {
	pkg, test := split(name)
	return path.Base(pkg) + "." + test
}

// split parts internal/web.TestX/sub into its package and its test.
func split(name string) (pkg, test string) {
	pkg, test, _ = strings.Cut(name, ".")
	return pkg, test
}

// function is the test that a part of a test, internal/web.TestX/sub, is in.
func function(name string) string {
	pkg, test := split(name)
	test, _, _ = strings.Cut(test, "/")
	return pkg + "." + test
}

// testFiles finds every test function below root, and gives the file that each
// is in, from root.
func testFiles(root string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && strings.ContainsAny(d.Name()[:1], "._"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		file := filepath.ToSlash(relative)
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) {
				files[path.Dir(file)+"."+f.Name.Name] = file
			}
		}
		return nil
	})
	return files, err
}
