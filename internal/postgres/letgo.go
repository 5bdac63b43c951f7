package postgres

import (
	"context"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// letGo sets a pool up for networks that swallow what is sent to the server and
// say nothing. The driver would give a connection over which no answer has come
// a quarter of a minute to be cancelled and closed politely, and the pool would
// count it for as long; so a few of them would keep everybody from a new
// connection, even when the network has long been well again. Here a
// connection has as long to end as it has to begin.
func letGo(config *pgxpool.Config) {
	limit, dial := config.ConnConfig.ConnectTimeout, config.ConnConfig.DialFunc
	// Both to sign in and to ask that a query be cancelled begin with this.
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err == nil {
			err = conn.SetDeadline(time.Now().Add(limit))
		}
		return conn, err
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := conn.PgConn().Conn().SetDeadline(time.Time{}); err != nil {
			return err
		}
		return planOnce(ctx, conn)
	}
	config.BeforeClose = func(conn *pgx.Conn) {
		time.AfterFunc(limit, func() { conn.PgConn().Conn().Close() })
	}
}
