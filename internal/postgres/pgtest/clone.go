package pgtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"

	"coatcheck/internal/postgres"
	"coatcheck/migrations"

	"github.com/jackc/pgx/v5"
)

// A server is where the tests' databases live.
type server struct {
	admin string // URL with the right to create databases
	is    string // what it is, for people
	stop  func() error

	templated   sync.Once
	templateErr error
}

type database struct{ name, url string }

// clone copies the template, which is quicker than migrating.
func (s *server) clone(ctx context.Context) (database, error) {
	s.templated.Do(func() { s.templateErr = s.makeTemplate(ctx, templateName()) })
	if s.templateErr != nil {
		return database{}, fmt.Errorf("make the template of the tests' databases: %w", s.templateErr)
	}
	return s.create(ctx, " TEMPLATE "+templateName())
}

func (s *server) createEmpty(ctx context.Context) (database, error) {
	return s.create(ctx, " TEMPLATE template0")
}

func (s *server) create(ctx context.Context, template string) (database, error) {
	db := database{name: "coatcheck_test_" + strings.ToLower(rand.Text())}
	if err := s.exec(ctx, `CREATE DATABASE `+db.name+template); err != nil {
		return db, fmt.Errorf("create a database for the test: %w", err)
	}
	u, err := url.Parse(s.admin)
	if err != nil {
		return db, err
	}
	u.Path = "/" + db.name
	db.url = u.String()
	return db, nil
}

// drop does not wait for connections that a killed shop has left open.
func (s *server) drop(ctx context.Context, db database) error {
	if err := s.exec(ctx, `DROP DATABASE IF EXISTS `+db.name+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("drop the test's database: %w", err)
	}
	return nil
}

// templateLock keeps test processes from making the template at once.
const templateLock = 0x636f6174 // "coat"

// makeTemplate makes the template unless this or another process has made it.
//
// Postgres refuses to clone a database that anyone is connected to, so a
// finished template lets nobody in, which also keeps it as it is. A template
// that does let people in is what a killed process left half made.
func (s *server) makeTemplate(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx) // gives up the lock, too
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
		return err
	}
	var finished bool
	err = conn.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn)`, name).Scan(&finished)
	if err != nil || finished {
		return err
	}
	for _, sql := range []string{
		`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`,
		`CREATE DATABASE ` + name + ` TEMPLATE template0`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := s.migrate(ctx, name); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `ALTER DATABASE `+name+` ALLOW_CONNECTIONS false`)
	return err
}

func (s *server) migrate(ctx context.Context, name string) error {
	u, err := url.Parse(s.admin)
	if err != nil {
		return err
	}
	u.Path = "/" + name
	pool, err := postgres.Open(ctx, u.String(), nil)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = postgres.Migrate(ctx, pool)
	return err
}

// templateName carries a hash of the migrations, so that a changed schema
// never meets an old template.
var templateName = sync.OnceValue(func() string {
	hash := sha256.New()
	err := fs.WalkDir(migrations.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := migrations.Files.ReadFile(path)
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		panic(err) // the files are part of the program
	}
	return "coatcheck_template_" + hex.EncodeToString(hash.Sum(nil)[:8])
})

func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
