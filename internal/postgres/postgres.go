// Package postgres connects the shop to PostgreSQL.
//
// [Open] makes the pool that every other package queries. [Migrate] brings the
// schema up to date. And [Start] runs a PostgreSQL server of the shop's own,
// for whoever has Go and nothing else: it finds the server's binaries on the
// machine or downloads them, and keeps the data between runs.
//
// The ready-made fergusstrange/embedded-postgres is not used, because it
// cannot drop root, deletes data that another version wrote, and cannot take
// over from a server that a killed shop left behind.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrBadURL marks an error of [Open] that no server had a part in: the URL
// itself makes no sense.
var ErrBadURL = errors.New("DATABASE_URL")

// Limits of a pool and of the wait for a server, unless the URL sets its own
// (pool_max_conns, connect_timeout, pool_ping_timeout). Where there are several
// servers, each has less time: the next one may be the one that leads.
const (
	maxConns         = 8
	connectTimeout   = 2 * time.Second
	connectOfSeveral = 1 * time.Second
	pingTimeout      = 500 * time.Millisecond
	openTimeout      = 10 * time.Second
)

// Open gives a pool of connections to the database at url, after one of them
// has been tried. The tracer hears of every query; it may be nil.
//
// An error is one line for the operator, without the password. It wraps
// [ErrBadURL] if the URL does not parse.
func Open(ctx context.Context, url string, tracer pgx.QueryTracer) (*pgxpool.Pool, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, explain(config.ConnConfig, err)
	}
	ping, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	err = pool.Ping(ping)
	for pgconn.Timeout(err) && ping.Err() == nil { // nobody's page waits for this one
		err = pool.Ping(ping)
	}
	if err != nil {
		pool.Close()
		return nil, explain(config.ConnConfig, err)
	}
	return pool, nil
}

func parse(s string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(s)
	if err != nil {
		return nil, fmt.Errorf("%w: %s; it should look like postgres://user:password@host:5432/database", ErrBadURL, safeReason(err))
	}
	if !strings.Contains(s, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
		if len(servers(config.ConnConfig)) > 1 {
			config.ConnConfig.ConnectTimeout = connectOfSeveral
		}
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = pingTimeout
	}
	letGo(config)
	set := config.ConnConfig.RuntimeParams
	if set["application_name"] == "" {
		set["application_name"] = "coatcheck"
	}
	set["timezone"] = "UTC"
	return config, nil
}

// planOnce lets Postgres plan a statement once for each connection. The driver
// prepares each statement once; but left to itself, Postgres would plan many of
// them anew each time it is told the parameters, in the hope of a better plan
// for just these. Ours find a few rows by their keys, whichever those are, and
// to plan one takes longer than to run it.
func planOnce(ctx context.Context, conn *pgx.Conn) error {
	return conn.PgConn().Exec(ctx, `SET plan_cache_mode = force_generic_plan`).Close()
}

// safeReason says why a URL does not parse without quoting any of it: where
// the password ends in a malformed URL is anybody's guess.
func safeReason(err error) string {
	var unreadable *url.Error
	if errors.As(err, &unreadable) {
		return "not a URL"
	}
	return "not a Postgres URL, or an unknown value in it"
}

// explain turns what the driver says, which may be many lines, into the one
// that an operator needs.
func explain(c *pgx.ConnConfig, err error) error {
	where := strings.Join(servers(c), " or ")
	var refusal *pgconn.PgError
	switch {
	case errors.As(err, &refusal) && (refusal.Code == "28P01" || refusal.Code == "28000"):
		return fmt.Errorf("DATABASE_URL: Postgres at %s lets user %q not in: wrong user or password; correct them", where, c.User)
	case errors.As(err, &refusal) && refusal.Code == "3D000":
		return fmt.Errorf("DATABASE_URL: Postgres at %s has no database %q; create it or name another", where, c.Database)
	case errors.As(err, &refusal):
		return fmt.Errorf("DATABASE_URL: Postgres at %s refuses: %s", where, refusal.Message)
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return fmt.Errorf("DATABASE_URL: no Postgres at %s lets the shop write; promote one or correct the address", where)
	}
	reason := root(err)
	if errors.Is(reason, context.DeadlineExceeded) {
		reason = errors.New("it took too long")
	}
	return fmt.Errorf("DATABASE_URL: no Postgres answers at %s (%w); start it or correct the address", where, reason)
}

// servers lists where a server is looked for: there may be several, of which
// one leads. (The driver has each once more to try it without TLS.)
func servers(c *pgx.ConnConfig) []string {
	all := []string{fmt.Sprintf("%s:%d", c.Host, c.Port)}
	for _, f := range c.Fallbacks {
		if other := fmt.Sprintf("%s:%d", f.Host, f.Port); !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// root is the innermost error, or the last where there are several: one line,
// whereas the driver writes one for each address it tried.
func root(err error) error {
	for {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			if e.Unwrap() == nil {
				return err
			}
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			all := e.Unwrap()
			err = all[len(all)-1]
		default:
			return err
		}
	}
}
