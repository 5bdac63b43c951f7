package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ThrottledError says that an account has had too many failed sign-ins from
// an address. The same account from another address is not held up, so nobody
// can lock the owner out.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many failed sign-ins; try again in %v", e.RetryAfter)
}

// throttle returns a *ThrottledError if the account has used up its failures
// at this address, and reports whether it has had any.
func (u *Users) throttle(ctx context.Context, email, address string) (failed bool, err error) {
	now := u.now()
	var since time.Time
	var failures int
	err = u.db.QueryRow(ctx, `
		SELECT since, failures FROM sign_in_failures
		WHERE email = $1 AND address = $2 AND since > $3`,
		email, address, now.Add(-FailureWindow)).Scan(&since, &failures)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look up failed sign-ins: %w", err)
	case failures >= u.failures:
		return true, &ThrottledError{RetryAfter: since.Add(FailureWindow).Sub(now)}
	}
	return true, nil
}

// countFailure adds one to the count, in one statement that counts every one
// of many at once, and returns ErrWrong, or a *ThrottledError from the first
// failure beyond those that are let through.
func (u *Users) countFailure(ctx context.Context, email, address string) error {
	now := u.now()
	var since time.Time
	var failures int
	err := u.db.QueryRow(ctx, `
		INSERT INTO sign_in_failures AS f (email, address, since, failures) VALUES ($1, $2, $3, 1)
		ON CONFLICT (email, address) DO UPDATE SET
			since    = CASE WHEN f.since > $4 THEN f.since ELSE excluded.since END,
			failures = CASE WHEN f.since > $4 THEN f.failures ELSE 0 END + 1
		RETURNING since, failures`,
		email, address, now, now.Add(-FailureWindow)).Scan(&since, &failures)
	if err != nil {
		return fmt.Errorf("count failed sign-in: %w", err)
	}
	if failures > u.failures {
		return &ThrottledError{RetryAfter: since.Add(FailureWindow).Sub(now)}
	}
	return ErrWrong
}

func (u *Users) forgetFailures(ctx context.Context, email, address string) error {
	_, err := u.db.Exec(ctx, `DELETE FROM sign_in_failures WHERE email = $1 AND address = $2`, email, address)
	if err != nil {
		return fmt.Errorf("forget failed sign-ins: %w", err)
	}
	return nil
}

// SweepFailures removes counts that no longer hold anybody up, and says how
// many.
func (u *Users) SweepFailures(ctx context.Context) (int, error) {
	tag, err := u.db.Exec(ctx, `DELETE FROM sign_in_failures WHERE since <= $1`, u.now().Add(-FailureWindow))
	if err != nil {
		return 0, fmt.Errorf("sweep failed sign-ins: %w", err)
	}
	return int(tag.RowsAffected()), nil
}
