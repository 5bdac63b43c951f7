package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
)

// unavailable lists the classes of SQLSTATE in which the server says that it
// cannot work now: connection exception, insufficient resources, operator
// intervention, system error.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
var unavailable = []string{"08", "53", "57", "58"}

// readOnly is the SQLSTATE of a server that may not write: it is a standby that
// has not been promoted yet, or it is about to hand over to one.
const readOnly = "25006"

// Unavailable reports whether a call on the database failed because Postgres
// could not be asked or could not finish: it is down, starting or stopping,
// overloaded, a standby, or did not answer in time. The same call may work
// later.
func Unavailable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return slices.Contains(unavailable, pg.Code[:2]) || pg.Code == readOnly
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) ||
		errors.Is(err, puddle.ErrClosedPool)
}
