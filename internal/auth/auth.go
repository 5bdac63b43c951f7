// Package auth knows who has an account and whether a password is theirs.
//
// It knows nothing of sessions or cookies: it answers "is this Alice?" once,
// at sign-in, and it is the session that remembers the answer. It writes the
// tables users and sign_in_failures.
package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

// Role says what a user may do. It is read from the database at each request
// and never kept in a session, so that a changed role counts at once.
type Role string

const (
	Customer      Role = "customer"
	Administrator Role = "administrator"
)

// User is an account. The zero User is nobody.
type User struct {
	ID    int64
	Email string
	Name  string
	Role  Role

	hash string // of the password that was right when this user was signed in
}

// Config is what Users needs to know.
type Config struct {
	DB *pgxpool.Pool
	// Cost is bcrypt's: the base-2 logarithm of its number of rounds. 0 means
	// DefaultCost.
	Cost int
	// Pepper is a secret that is mixed into every password and is not kept in
	// the database; it may be empty. To change it is to void every password.
	Pepper []byte
	// Failures is how many failed sign-ins are let through for one account
	// from one address in FailureWindow. 0 means DefaultFailures.
	Failures int
	// Waiting is how many may wait for a password to be hashed while others
	// are; who comes then is turned away. 0 means as many as have their turn
	// within about two seconds.
	Waiting int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

const (
	DefaultCost     = 12 // about a quarter of a second on a core of 2026
	DefaultFailures = 10
	FailureWindow   = 15 * time.Minute
)

// Users signs people up and in.
type Users struct {
	db       *pgxpool.Pool
	cost     int
	pepper   []byte
	failures int
	now      func() time.Time

	decoy string // the hash that an unknown e-mail is held against
	turns turns  // at hashing
}

// New prepares the hash that unknown e-mails are held against, which takes as
// long as a sign-in.
func New(c Config) (*Users, error) {
	u := &Users{db: c.DB, cost: c.Cost, pepper: c.Pepper, failures: c.Failures, now: c.Now}
	if u.cost == 0 {
		u.cost = DefaultCost
	}
	if u.failures == 0 {
		u.failures = DefaultFailures
	}
	if u.now == nil {
		u.now = time.Now
	}
	u.turns = newTurns(u.cost, c.Waiting)
	decoy, err := u.hash("nobody's password")
	u.decoy = decoy
	return u, err
}

// SignUp makes an account, or returns an *InvalidError that says what is
// wrong with which field, or a *BusyError.
//
// If there is an account with that e-mail already, nothing happens, and it
// looks and takes just the same: who asks must not learn which e-mails have
// accounts (ASVS 5.0 V6.3.8).
func (u *Users) SignUp(ctx context.Context, name, email, password string) error {
	if _, err := u.Add(ctx, name, email, password); !errors.Is(err, ErrTaken) {
		return err
	}
	return nil
}

// Add is SignUp for those who run the shop. They learn the new user's ID, or
// by ErrTaken that there is an account with that e-mail already.
func (u *Users) Add(ctx context.Context, name, email, password string) (id int64, err error) {
	name, email = strings.TrimSpace(name), normalEmail(email)
	if invalid := check(name, email, password); invalid != nil {
		return 0, invalid
	}
	hash, err := u.hashInTurn(ctx, password)
	if err != nil {
		return 0, err
	}
	err = u.db.QueryRow(ctx, `
		INSERT INTO users (email, name, password_hash, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (email) DO NOTHING RETURNING id`, email, name, hash, u.now()).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, ErrTaken
	}
	if err != nil {
		return 0, fmt.Errorf("insert user: %w", err)
	}
	return id, nil
}

// ErrWrong says that e-mail and password do not go together. Which of the two
// is wrong, nobody learns.
var ErrWrong = errors.New("wrong e-mail or password")

// ErrDisabled says that the account is disabled. Only who knows its password
// learns that.
var ErrDisabled = errors.New("the account is disabled")

// RefusedError says why nobody was signed in. Whose account it was is for the
// record, not for the answer.
type RefusedError struct {
	UserID int64 // zero if there is no such account
	err    error
}

func (e *RefusedError) Error() string { return e.err.Error() }
func (e *RefusedError) Unwrap() error { return e.err }

// SignIn gives the user whose e-mail and password these are. It returns
// ErrWrong if there is none, ErrDisabled if the account is, and a
// *ThrottledError if there were too many failures for this account from this
// address, each of them in a *RefusedError. It returns a *BusyError, before it
// has looked at anything, if too many sign in at once. An unknown e-mail costs
// the same work, and the same wait, as a wrong password (ASVS 5.0 V6.3.8).
func (u *Users) SignIn(ctx context.Context, email, password, address string) (User, error) {
	email = normalEmail(email)
	if emailProblem(email) != "" {
		email = "" // nobody's: nothing that odd is looked up or counted
	}
	if err := u.turns.enter(); err != nil {
		return User{}, err
	}
	defer u.turns.leave()
	// While a database does not answer, nobody has a turn that others wait for.
	user, disabled, err := u.find(ctx, email)
	if err != nil {
		return User{}, err
	}
	// Waiting for a turn comes before the throttle, so that a volley of
	// guesses sent at once cannot slip past the count together.
	if err := u.turns.take(ctx); err != nil {
		return User{}, err
	}
	defer u.turns.giveBack()
	failed, err := u.throttle(ctx, email, address)
	if failed && err != nil {
		return User{}, &RefusedError{user.ID, err}
	}
	if err != nil {
		return User{}, err
	}
	hash := user.hash
	if user.ID == 0 {
		hash = u.decoy
	}
	done := hashing(ctx)
	err = bcrypt.CompareHashAndPassword([]byte(hash), u.digest(password))
	done()
	switch {
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword), err == nil && user.ID == 0:
		return User{}, &RefusedError{user.ID, u.countFailure(ctx, email, address)}
	case err != nil:
		return User{}, fmt.Errorf("compare password of user %d: %w", user.ID, err)
	case disabled:
		return User{}, &RefusedError{user.ID, ErrDisabled}
	}
	if failed {
		return user, u.forgetFailures(ctx, email, address)
	}
	return user, nil
}

func (u *Users) find(ctx context.Context, email string) (user User, disabled bool, err error) {
	err = u.db.QueryRow(ctx, `
		SELECT id, email, name, role, password_hash, disabled_at IS NOT NULL FROM users WHERE email = $1`, email).
		Scan(&user.ID, &user.Email, &user.Name, &user.Role, &user.hash, &disabled)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return User{}, false, fmt.Errorf("find user: %w", err)
	}
	return user, disabled, nil
}

// QueueUsers adds the look-up of some users to a batch. One that does not exist,
// or is disabled, has no entry.
func QueueUsers(b *pgx.Batch, ids []int64, into map[int64]User) {
	b.Queue(`SELECT id, email, name, role FROM users WHERE id = ANY ($1) AND disabled_at IS NULL`, ids).Query(func(rows pgx.Rows) error {
		var u User
		_, err := pgx.ForEachRow(rows, []any{&u.ID, &u.Email, &u.Name, &u.Role}, func() error {
			into[u.ID] = u
			return nil
		})
		return err
	})
}
