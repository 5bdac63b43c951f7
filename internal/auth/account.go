package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Changes of an account. Each takes a function that runs in the same
// transaction, so that what the caller has to say about the change is kept if,
// and only if, the change is; nil means that there is nothing to say.
type also = func(ctx context.Context, tx pgx.Tx) error

var (
	// ErrNoUser says that there is no such user.
	ErrNoUser = errors.New("no such user")
	// ErrTaken says that somebody else has that e-mail address.
	ErrTaken = errors.New("that e-mail address has an account already")
)

// Confirm checks once more that a user whose password was right a moment ago
// may be signed in: the password has not been changed since, nor the account
// disabled. Call it when the session has been filed: whoever changes the
// password first changes it and then ends the sessions, so a session either
// is ended there or is found out here. It returns ErrWrong if not.
func (u *Users) Confirm(ctx context.Context, user User) error {
	var same bool
	err := u.db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM users WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL)`,
		user.ID, user.hash).Scan(&same)
	if err != nil {
		return fmt.Errorf("confirm user %d: %w", user.ID, err)
	}
	if !same {
		return ErrWrong
	}
	return nil
}

// Verify checks the password of a user who is signed in already. It counts
// failures together with, and returns the errors of, SignIn.
func (u *Users) Verify(ctx context.Context, userID int64, password, address string) (User, error) {
	var email string
	err := u.db.QueryRow(ctx, `SELECT email FROM users WHERE id = $1`, userID).Scan(&email)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrNoUser
	}
	if err != nil {
		return User{}, fmt.Errorf("find user %d: %w", userID, err)
	}
	return u.SignIn(ctx, email, password, address)
}

// SetPassword gives a user, whose current password was verified, another one.
// It returns an *InvalidError if that will not do, ErrWrong if somebody has
// changed the password since it was verified, and a *BusyError like SignIn.
func (u *Users) SetPassword(ctx context.Context, user User, password string, also also) error {
	if problem := passwordProblem(password); problem != "" {
		return &InvalidError{Password: problem}
	}
	hash, err := u.hashInTurn(ctx, password)
	if err != nil {
		return err
	}
	err = u.change(ctx, also, `UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2`,
		user.ID, user.hash, hash)
	if errors.Is(err, ErrNoUser) {
		return ErrWrong
	}
	return err
}

// SetEmail gives a user, whose current password was verified, another e-mail
// address. It returns an *InvalidError if that is none, and ErrTaken if it is
// somebody else's. That tells who has an account, so such answers are counted
// like failed sign-ins, and too many are a *ThrottledError.
func (u *Users) SetEmail(ctx context.Context, user User, email, address string, also also) error {
	email = normalEmail(email)
	if problem := emailProblem(email); problem != "" {
		return &InvalidError{Email: problem}
	}
	asking := fmt.Sprintf("user %d asks for another", user.ID) // no e-mail address looks like that
	if _, err := u.throttle(ctx, asking, address); err != nil {
		return err
	}
	err := u.change(ctx, also, `UPDATE users SET email = $2 WHERE id = $1`, user.ID, email)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == uniqueViolation {
		if err := u.countFailure(ctx, asking, address); !errors.Is(err, ErrWrong) {
			return err
		}
		return ErrTaken
	}
	return err
}

const uniqueViolation = "23505" // PostgreSQL's code for it

// Disable keeps a user from signing in. Who is signed in stays so until the
// caller ends the sessions.
func (u *Users) Disable(ctx context.Context, userID int64, also also) error {
	return u.change(ctx, also, `UPDATE users SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1`, userID, u.now())
}

// Enable lets a disabled user sign in again.
func (u *Users) Enable(ctx context.Context, userID int64, also also) error {
	return u.change(ctx, also, `UPDATE users SET disabled_at = NULL WHERE id = $1`, userID)
}

// SetRole gives a user another role, which counts at the next request.
func (u *Users) SetRole(ctx context.Context, userID int64, role Role, also also) error {
	return u.change(ctx, also, `UPDATE users SET role = $2 WHERE id = $1`, userID, role)
}

// change updates one user, and returns ErrNoUser if that finds none.
func (u *Users) change(ctx context.Context, also also, sql string, args ...any) error {
	err := pgx.BeginFunc(ctx, u.db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrNoUser
		}
		if also == nil {
			return nil
		}
		return also(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("change user %d: %w", args[0], err)
	}
	return nil
}

// Account is a user as those who run the shop see them.
type Account struct {
	User
	CreatedAt time.Time
	Disabled  bool
}

const accountColumns = `id, email, name, role, created_at, disabled_at IS NOT NULL`

func scanAccount(row pgx.CollectableRow) (a Account, err error) {
	err = row.Scan(&a.ID, &a.Email, &a.Name, &a.Role, &a.CreatedAt, &a.Disabled)
	a.CreatedAt = a.CreatedAt.UTC()
	return a, err
}

// Find looks an account up by its e-mail address, or returns ErrNoUser.
func (u *Users) Find(ctx context.Context, email string) (Account, error) {
	rows, err := u.db.Query(ctx, `SELECT `+accountColumns+` FROM users WHERE email = $1`, normalEmail(email))
	if err != nil {
		return Account{}, fmt.Errorf("find user: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	if errors.Is(err, pgx.ErrNoRows) {
		return Account{}, fmt.Errorf("%w: %s", ErrNoUser, email)
	}
	if err != nil {
		return Account{}, fmt.Errorf("find user: %w", err)
	}
	return a, nil
}

// Emails gives the e-mail addresses of users by their IDs; of an ID that is
// nobody's, none.
func (u *Users) Emails(ctx context.Context, ids []int64) (map[int64]string, error) {
	rows, err := u.db.Query(ctx, `SELECT id, email FROM users WHERE id = ANY($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("find users: %w", err)
	}
	emails := map[int64]string{}
	var id int64
	var email string
	_, err = pgx.ForEachRow(rows, []any{&id, &email}, func() error {
		emails[id] = email
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find users: %w", err)
	}
	return emails, nil
}

// QueueAccount adds the look-up of an account to a batch. If there is no such
// user, into stays as it is.
func QueueAccount(b *pgx.Batch, id int64, into *Account) {
	b.Queue(`SELECT `+accountColumns+` FROM users WHERE id = $1`, id).Query(func(rows pgx.Rows) error {
		a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		*into = a
		return err
	})
}

// QueueAccounts adds to a batch the look-up of accounts whose name or e-mail
// address contains a text, by name, at most so many.
func QueueAccounts(b *pgx.Batch, text string, most int, into *[]Account) {
	b.Queue(`
		SELECT `+accountColumns+` FROM users
		WHERE strpos(email, lower($1)) > 0 OR strpos(lower(name), lower($1)) > 0
		ORDER BY lower(name), id LIMIT $2`, text, most).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scanAccount)
		return err
	})
}
