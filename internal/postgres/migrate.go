package postgres

import (
	"context"
	"fmt"
	"time"

	"coatcheck/migrations"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// A Migration is one step of the schema.
type Migration struct {
	Version   int64
	Name      string    // its file's
	AppliedAt time.Time // zero while it is pending
}

// Migrate applies the pending migrations, each in a transaction, and gives
// how many there were. Servers that start at the same moment wait for one
// another. A database that a newer program has migrated is refused.
func Migrate(ctx context.Context, pool *pgxpool.Pool) (applied int, err error) {
	err = withProvider(ctx, pool, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		applied = len(results)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return applied, nil
}

// MigrateDown undoes the newest applied migration, with the data in it, and
// gives its version; 0 if none was applied.
func MigrateDown(ctx context.Context, pool *pgxpool.Pool) (undone int64, err error) {
	err = withProvider(ctx, pool, func(p *goose.Provider) error {
		if current, err := p.GetDBVersion(ctx); err != nil || current == 0 {
			return err
		}
		result, err := p.Down(ctx)
		if err == nil {
			undone = result.Source.Version
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("migrate down: %w", err)
	}
	return undone, nil
}

// Status lists every migration that the program knows, oldest first.
func Status(ctx context.Context, pool *pgxpool.Pool) (list []Migration, err error) {
	err = withProvider(ctx, pool, func(p *goose.Provider) error {
		all, err := p.Status(ctx)
		for _, m := range all {
			list = append(list, Migration{m.Source.Version, m.Source.Path, m.AppliedAt})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("migration status: %w", err)
	}
	return list, nil
}

// withProvider calls do with goose, on a schema that this program understands.
func withProvider(ctx context.Context, pool *pgxpool.Pool, do func(*goose.Provider) error) error {
	// The lock belongs to a connection of Postgres: if its holder dies, it is
	// free at once. The others ask again each second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	database, program, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if database > program {
		return fmt.Errorf("the database's schema is version %d, but this program knows none after %d: run a newer program", database, program)
	}
	return do(p)
}
