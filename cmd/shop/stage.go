package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/classroom"
	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/story"
	"coatcheck/internal/web"
	"coatcheck/internal/xray"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A stage is where a story is played in this process: two real servers, each
// with a pool of its own, on a new database that only they know, on the
// Postgres server that db is connected to.
type stage struct {
	db    *pgxpool.Pool
	name  string // of the stage's database
	cost  int    // of hashing a password; zero: the shop's own
	pools [2]*pgxpool.Pool
	world story.World
}

// playOnStage raises a stage, plays a story on it, and takes it down again.
func playOnStage(ctx context.Context, db *pgxpool.Pool, s *story.Story, cost int) (t *story.Transcript, err error) {
	ctx = story.Bare(ctx)
	on := &stage{db: db, cost: cost}
	defer func() { err = errors.Join(err, on.takeDown(ctx)) }()
	if err := on.raise(ctx); err != nil {
		return nil, err
	}
	return story.Play(ctx, s, &on.world)
}

func (s *stage) raise(ctx context.Context) error {
	if err := s.dropLeftovers(ctx); err != nil {
		return err
	}
	if err := s.createDatabase(ctx); err != nil {
		return err
	}
	s.world = story.World{
		Servers: []story.Place{{Name: "the first server", URL: "http://first.example"}, {Name: "the second server", URL: "http://second.example"}},
		Restart: func(ctx context.Context) error { _, err := s.open(ctx, story.First); return err },
	}
	users, err := s.open(ctx, story.First)
	if err != nil {
		return err
	}
	if _, err := postgres.Migrate(ctx, s.pools[story.First]); err != nil {
		return err
	}
	if err := seedDemo(ctx, s.pools[story.First], users); err != nil {
		return err
	}
	_, err = s.open(ctx, story.Second)
	return err
}

// open opens one of the servers. The one that was there before is thrown away,
// and nothing is carried over.
func (s *stage) open(ctx context.Context, which story.Server) (*auth.Users, error) {
	if before := s.pools[which]; before != nil {
		before.Close()
	}
	config := s.db.Config()
	config.ConnConfig.Database = s.name
	config.ConnConfig.Tracer = xray.Tracer{}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s.pools[which] = pool
	users, err := auth.New(auth.Config{DB: pool, Cost: s.cost})
	if err != nil {
		return nil, err
	}
	shop, err := newShop(web.Config{
		Store: pgstore.New(pool),
		DB:    pool, Users: users, Policy: sessions.DefaultPolicy,
		Log: slog.New(slog.DiscardHandler), Demo: true,
	})
	s.world.Servers[which].Way = story.Handler{Handler: shop}
	return users, err
}

// stagePrefix begins the name of each stage's database. After it comes the
// time, by which a leftover can be told.
const stagePrefix = "coatcheck_story_"

func (s *stage) createDatabase(ctx context.Context) error {
	s.name = fmt.Sprintf("%s%d_%s", stagePrefix, time.Now().Unix(), strings.ToLower(rand.Text()[:10]))
	_, err := s.db.Exec(ctx, `CREATE DATABASE `+s.name+` TEMPLATE template0`)
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "42501" { // insufficient privilege
		user := s.db.Config().ConnConfig.User
		return fmt.Errorf("DATABASE_URL: %w: user %q may not create databases; allow it with ALTER ROLE %s CREATEDB, or play on a shop that is open, with --url",
			classroom.ErrNoStage, user, pgx.Identifier{user}.Sanitize())
	}
	if err != nil {
		return fmt.Errorf("create the stage's database: %w", err)
	}
	return nil
}

// takeDown closes the servers and drops their database, also for a visitor who
// has left meanwhile.
func (s *stage) takeDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, pool := range s.pools {
		if pool != nil {
			pool.Close()
		}
	}
	if s.name == "" {
		return nil
	}
	if _, err := s.db.Exec(ctx, `DROP DATABASE IF EXISTS `+s.name+` WITH (FORCE)`); err != nil {
		return fmt.Errorf("drop the stage's database: %w", err)
	}
	return nil
}

// dropLeftovers drops what plays that were killed have left: databases of our
// own with the name of a stage, older than any play takes, that nobody is
// connected to.
func (s *stage) dropLeftovers(ctx context.Context) error {
	long := fmt.Sprint(stagePrefix, time.Now().Add(-10*time.Minute).Unix())
	rows, err := s.db.Query(ctx, `
		SELECT datname::text FROM pg_database d
		WHERE starts_with(datname::text, $1) AND datname::text COLLATE "C" < $2 AND datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user)
			AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`, stagePrefix, long)
	if err != nil {
		return fmt.Errorf("look for stages that were left behind: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for stages that were left behind: %w", err)
	}
	for _, name := range names {
		// Without FORCE, so that it stays if somebody has just connected. That,
		// or another play that was quicker, is no reason not to play. (It would
		// wait for whoever is connected to leave, so these are left out above.)
		_, _ = s.db.Exec(ctx, `DROP DATABASE IF EXISTS `+pgx.Identifier{name}.Sanitize())
	}
	return nil
}
