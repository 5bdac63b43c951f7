package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"coatcheck/internal/classroom"
	"coatcheck/internal/postgres"
	"coatcheck/internal/postgres/pgtest"
	"coatcheck/internal/story"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// The story, as the pages and the command play it; only its password hashes
// are cheaper.
func TestAlicesStoryHoldsOnAStage(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	transcript, err := playOnStage(t.Context(), db, &story.Alice, bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if len(transcript.Played) != len(story.Alice.Steps) || transcript.Blind() || transcript.Stopped != "" {
		t.Errorf("%d of %d steps were played; blind %v; %q", len(transcript.Played), len(story.Alice.Steps), transcript.Blind(), transcript.Stopped)
	}
	for _, p := range transcript.Played {
		if p.Limit != "" {
			t.Errorf("step %s: %s", p.Slug, p.Limit)
		}
		for _, o := range p.Outcomes {
			if !o.Held {
				t.Errorf("step %s: %s; %s", p.Slug, o.Want, o.Got)
			}
		}
	}

	// Its secrets: an ID is 43 letters, and the made-up one is as good as one.
	transcript.Story = nil
	for i := range transcript.Played {
		transcript.Played[i].Ask, transcript.Played[i].Carry = nil, nil // the story's text
	}
	text, err := json.Marshal(transcript)
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`[A-Za-z0-9_-]{43,}`).FindAllString(string(text), -1); found != nil {
		t.Errorf("the transcript has what may be IDs in it: %q", found)
	}
	if strings.Contains(string(text), "coat-check-alice") {
		t.Error("the transcript has the password in it")
	}
	if !strings.Contains(string(text), "INSERT INTO carts") {
		t.Error("the transcript has no X-ray of the database")
	}

	// The visitor's own shop is as it was.
	var rows int
	if err := db.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM carts)`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows were written into the shop's own database, %v", rows, err)
	}
}

// stages lists the stages' databases that there are now.
func stages(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)`, stagePrefix)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestStageIsTakenDown(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for name, raise := range map[string]func(context.Context, *stage) error{
		"whole":       func(ctx context.Context, s *stage) error { return s.raise(ctx) },
		"half raised": func(ctx context.Context, s *stage) error { return s.createDatabase(ctx) },
	} {
		ctx, leave := context.WithCancel(t.Context())
		s := &stage{db: db, cost: bcrypt.MinCost}
		if err := raise(ctx, s); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(stages(t, db), s.name) {
			t.Errorf("%s: there is no database %q", name, s.name)
		}
		leave() // the visitor, in the middle of the play
		if err := s.takeDown(ctx); err != nil || slices.Contains(stages(t, db), s.name) {
			t.Errorf("%s: the stage is still there, %v", name, err)
		}
	}
	if err := (&stage{db: db}).takeDown(t.Context()); err != nil {
		t.Errorf("a stage that was never raised: %v", err)
	}
}

// Nothing is carried over but the database.
func TestRestartThrowsTheServerAway(t *testing.T) {
	t.Parallel()
	s := &stage{db: pgtest.New(t), cost: bcrypt.MinCost}
	defer func() {
		if err := s.takeDown(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := s.raise(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second, pool := s.world.Servers[0].Way, s.world.Servers[1].Way, s.pools[0]
	if err := s.world.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.world.Servers[0].Way == first || s.pools[0] == pool || s.world.Servers[1].Way != second {
		t.Error("the first server, or its pool, is the same as before, or the second is not")
	}
	if err := pool.Ping(t.Context()); err == nil {
		t.Error("the old server's pool is still open")
	}
}

// What a killed play has left is dropped by the next one; what may be in use is not.
func TestLeftoverStagesAreDropped(t *testing.T) {
	t.Parallel()
	_, db := newRole(t, "CREATEDB") // whose leftovers nobody else will drop meanwhile
	old, busy, young := stagePrefix+"1600000000_a"+random(), stagePrefix+"1600000000_b"+random(), stagePrefix+"9000000000_c"+random()
	other := "coatcheck_storyteller_" + random()
	for _, name := range []string{old, busy, young, other} {
		if _, err := db.Exec(t.Context(), `CREATE DATABASE `+name+` TEMPLATE template0`); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := db.Exec(context.Background(), `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
				t.Error(err)
			}
		})
	}
	config := db.Config().ConnConfig
	config.Database = busy
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())

	if _, err := playOnStage(t.Context(), db, &story.Story{}, bcrypt.MinCost); err != nil {
		t.Fatal(err)
	}
	left := stages(t, db)
	if slices.Contains(left, old) || !slices.Contains(left, busy) || !slices.Contains(left, young) {
		t.Errorf("left are %q; want all of ours but %s", left, old)
	}
	var there bool
	if err := db.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, other).Scan(&there); err != nil || !there {
		t.Errorf("a database that is no stage was dropped, %v", err)
	}
}

// A user who may not create databases is told what to do about it.
func TestUserWithoutRightsIsTold(t *testing.T) {
	t.Parallel()
	role, plain := newRole(t, "")
	_, err := playOnStage(t.Context(), plain, &story.Alice, bcrypt.MinCost)
	if !errors.Is(err, classroom.ErrNoStage) || !strings.Contains(err.Error(), "DATABASE_URL") || !strings.Contains(err.Error(), role) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a user who may not create databases is told: %v", err)
	}
}

// newRole makes a user of Postgres, and opens a database as that user.
func newRole(t *testing.T, rights string) (role string, db *pgxpool.Pool) {
	t.Helper()
	address := pgtest.URL(t)
	admin, err := postgres.Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	role = "coatcheck_test_" + random()
	if _, err := admin.Exec(t.Context(), `CREATE ROLE `+role+` LOGIN PASSWORD 'of-a-test' `+rights); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), `DROP ROLE `+role); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "of-a-test")
	db, err = postgres.Open(t.Context(), u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return role, db
}

func random() string { return strings.ToLower(rand.Text()) }
