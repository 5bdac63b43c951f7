package auth_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	email    = "alice@example.com"
	password = "down the hole"
	another  = "through the mirror"
)

// withAlice opens an auth.Users with one account.
func withAlice(t *testing.T, c auth.Config) (*auth.Users, *pgxpool.Pool, auth.User) {
	t.Helper()
	c.DB = pgtest.New(t)
	users := open(t, c)
	signUp(t, users, email, password)
	alice, err := users.SignIn(t.Context(), email, password, here)
	if err != nil {
		t.Fatal(err)
	}
	return users, c.DB, alice
}

// remark is an also that leaves a mark, in place of the record.
func remark(what string) func(context.Context, pgx.Tx) error {
	return func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO session_events (at, kind) VALUES (now(), $1)`, what)
		return err
	}
}

func remarks(t *testing.T, db *pgxpool.Pool) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM session_events`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v; want %v", what, err, want)
	}
}

// Guesses at the current password are guesses at the password.
func TestVerifyCountsFailuresTogetherWithSignIn(t *testing.T) {
	t.Parallel()
	users, _, alice := withAlice(t, auth.Config{Failures: 3})
	user, err := users.Verify(t.Context(), alice.ID, password, here)
	if err != nil || user != alice {
		t.Errorf("Verify: %+v, %v; want %+v", user, err, alice)
	}
	_, err = users.Verify(t.Context(), alice.ID+1, password, here)
	wantErr(t, "Verify of nobody", err, auth.ErrNoUser)
	for range 2 {
		_, err = users.Verify(t.Context(), alice.ID, "a wrong guess", here)
		wantErr(t, "Verify", err, auth.ErrWrong)
	}
	wantSignIn(t, users, email, "a wrong guess", false)
	_, verify := users.Verify(t.Context(), alice.ID, password, here)
	_, signIn := users.SignIn(t.Context(), email, password, here)
	for _, err := range []error{verify, signIn} {
		if _, throttled := errors.AsType[*auth.ThrottledError](err); !throttled {
			t.Errorf("after three failures: %v; want to be throttled", err)
		}
		if refused, ok := errors.AsType[*auth.RefusedError](err); !ok || refused.UserID != alice.ID {
			t.Errorf("the refusal %v does not say whose account it was", err)
		}
	}
}

func TestConfirmFailsOnceThePasswordOrTheAccountIsAnother(t *testing.T) {
	t.Parallel()
	users, _, alice := withAlice(t, auth.Config{})
	ctx := t.Context()
	must(t, users.Confirm(ctx, alice))
	must(t, users.SetEmail(ctx, alice, "liddell@example.com", here, nil))
	must(t, users.SetRole(ctx, alice.ID, auth.Administrator, nil))
	must(t, users.Confirm(ctx, alice)) // the password is the same
	must(t, users.Disable(ctx, alice.ID, nil))
	wantErr(t, "Confirm of a disabled account", users.Confirm(ctx, alice), auth.ErrWrong)
	must(t, users.Enable(ctx, alice.ID, nil))
	must(t, users.Confirm(ctx, alice))
	must(t, users.SetPassword(ctx, alice, password, nil)) // the same word anew is another password, too
	wantErr(t, "Confirm after a change", users.Confirm(ctx, alice), auth.ErrWrong)
	wantErr(t, "Confirm of nobody", users.Confirm(ctx, auth.User{}), auth.ErrWrong)
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	users, db, alice := withAlice(t, auth.Config{})
	signUp(t, users, "bob@example.com", password)
	ctx, before := t.Context(), accounts(t, db)
	for _, bad := range []string{"", "seven c", "password123", strings.Repeat("x", 1001)} {
		err := users.SetPassword(ctx, alice, bad, remark("changed"))
		if invalid, ok := errors.AsType[*auth.InvalidError](err); !ok || invalid.Password == "" {
			t.Errorf("SetPassword(%.20q): %v; want it refused", bad, err)
		}
	}
	broken := errors.New("the record is full")
	wantErr(t, "SetPassword with an also that fails", users.SetPassword(ctx, alice, another, func(context.Context, pgx.Tx) error { return broken }), broken)
	if accounts(t, db) != before || remarks(t, db) != 0 {
		t.Error("a change that failed has changed something")
	}

	must(t, users.SetPassword(ctx, alice, another, remark("changed")))
	wantSignIn(t, users, email, password, false)
	wantSignIn(t, users, email, another, true)
	wantSignIn(t, users, "bob@example.com", password, true)
	// The password that was verified is no longer the one.
	wantErr(t, "SetPassword by who knew the old one", users.SetPassword(ctx, alice, "the thief's own words", remark("changed")), auth.ErrWrong)
	wantSignIn(t, users, email, another, true)
	if n := remarks(t, db); n != 1 {
		t.Errorf("%d changes were remarked on, want 1", n)
	}
}

// accounts is every row of the table, with its version.
func accounts(t *testing.T, db *pgxpool.Pool) (rows string) {
	t.Helper()
	if err := db.QueryRow(t.Context(), `SELECT string_agg(xmin || ' ' || u, E'\n' ORDER BY id) FROM users u`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestSetEmail(t *testing.T) {
	t.Parallel()
	users, db, alice := withAlice(t, auth.Config{})
	ctx, before := t.Context(), accounts(t, db)
	for _, bad := range []string{"", "alice", "a@b.c, d@e.f", "a\x00@example.com", strings.Repeat("a", 243) + "@example.com"} {
		err := users.SetEmail(ctx, alice, bad, here, remark("changed"))
		if invalid, ok := errors.AsType[*auth.InvalidError](err); !ok || invalid.Email == "" {
			t.Errorf("SetEmail(%.20q): %v; want it refused", bad, err)
		}
	}
	if accounts(t, db) != before || remarks(t, db) != 0 {
		t.Error("a change that failed has changed something")
	}
	must(t, users.SetEmail(ctx, alice, " Liddell@EXAMPLE.com ", here, remark("changed")))
	wantSignIn(t, users, "liddell@example.com", password, true)
	wantSignIn(t, users, email, password, false)
	if n := remarks(t, db); n != 1 {
		t.Errorf("%d changes were remarked on, want 1", n)
	}
	must(t, users.SetEmail(ctx, alice, "liddell@example.com", here, nil)) // one's own is not taken
}

// The answer that an address is taken tells who has an account, so there are
// only so many of them.
func TestAskingWhichEmailsAreTakenIsThrottled(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	users, db, alice := withAlice(t, auth.Config{Failures: 3, Now: func() time.Time { return now }})
	signUp(t, users, "bob@example.com", password)
	ctx, before := t.Context(), accounts(t, db)
	ask := func(address string) error {
		_, err := users.Verify(ctx, alice.ID, password, here) // right each time, which forgets nothing
		must(t, err)
		return users.SetEmail(ctx, alice, "Bob@example.com", address, remark("changed"))
	}
	for range 3 {
		wantErr(t, "SetEmail", ask(here), auth.ErrTaken)
	}
	now = now.Add(time.Minute)
	if throttled, ok := errors.AsType[*auth.ThrottledError](ask(here)); !ok || throttled.RetryAfter != auth.FailureWindow-time.Minute {
		t.Errorf("the fourth answer is not throttled for 14 minutes: %v", throttled)
	}
	// One that is free would tell by its success that others were taken.
	if _, ok := errors.AsType[*auth.ThrottledError](users.SetEmail(ctx, alice, "free@example.com", here, nil)); !ok {
		t.Error("a free address is let through the throttle")
	}
	wantErr(t, "SetEmail from another address", ask("198.51.100.7"), auth.ErrTaken)
	wantSignIn(t, users, email, password, true) // signing in is not held up by it
	now = now.Add(auth.FailureWindow)
	wantErr(t, "SetEmail later", ask(here), auth.ErrTaken)
	if accounts(t, db) != before || remarks(t, db) != 0 {
		t.Error("asking has changed something")
	}
}

func TestDisabledAccountLetsNobodyIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	users, db, alice := withAlice(t, auth.Config{Now: func() time.Time { return now }})
	ctx := t.Context()
	must(t, users.Disable(ctx, alice.ID, remark("disabled")))
	disabledAt := accounts(t, db)
	user, err := users.SignIn(ctx, email, password, here)
	wantErr(t, "SignIn with the right password", err, auth.ErrDisabled)
	if user != (auth.User{}) || queued(t, db, alice.ID) != (auth.User{}) {
		t.Error("a disabled user is found")
	}
	wantSignIn(t, users, email, "a wrong guess", false) // who does not know it learns nothing
	_, err = users.Verify(ctx, alice.ID, password, here)
	wantErr(t, "Verify", err, auth.ErrDisabled)
	now = now.Add(time.Hour)
	must(t, users.Disable(ctx, alice.ID, remark("disabled")))
	if _, after, _ := strings.Cut(accounts(t, db), " "); !strings.HasSuffix(disabledAt, after) {
		t.Errorf("to disable it again has made of %s %s", disabledAt, after)
	}
	if a := find(t, users); !a.Disabled {
		t.Errorf("Find: %+v", a)
	}

	must(t, users.Enable(ctx, alice.ID, remark("enabled")))
	wantSignIn(t, users, email, password, true)
	if a := find(t, users); a.Disabled || remarks(t, db) != 3 {
		t.Errorf("Find: %+v, after %d remarks", a, remarks(t, db))
	}
	for what, err := range map[string]error{
		"Disable": users.Disable(ctx, alice.ID+1, remark("x")), "Enable": users.Enable(ctx, alice.ID+1, remark("x")),
		"SetRole": users.SetRole(ctx, alice.ID+1, auth.Customer, remark("x")), "SetEmail": users.SetEmail(ctx, auth.User{ID: alice.ID + 1}, "x@example.com", here, remark("x")),
	} {
		wantErr(t, what+" of nobody", err, auth.ErrNoUser)
	}
	if n := remarks(t, db); n != 3 {
		t.Errorf("%d remarks, want none on nobody", n-3)
	}
}

func find(t *testing.T, users *auth.Users) auth.Account {
	t.Helper()
	a, err := users.Find(t.Context(), " ALICE@example.com")
	if err != nil || a.Name != "Alice" || a.Email != email || a.Role != auth.Customer || a.CreatedAt.IsZero() {
		t.Errorf("Find: %+v, %v", a, err)
	}
	return a
}

func TestAccountsAreFoundByNameAndEmail(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	users := open(t, auth.Config{DB: db})
	for _, who := range [][2]string{{"bob", "b@example.com"}, {"Alice", "zoe@example.com"}, {"100 %", "c_d@example.com"}, {"Bob", "a@example.com"}} {
		must(t, users.SignUp(t.Context(), who[0], who[1], password))
	}
	for _, c := range []struct {
		text string
		most int
		want []string
	}{
		{"", 9, []string{"c_d@", "zoe@", "b@", "a@"}},
		{"", 2, []string{"c_d@", "zoe@"}},
		{"BOB", 9, []string{"b@", "a@"}},
		{"ZOE@", 9, []string{"zoe@"}},
		{"%", 9, []string{"c_d@"}},
		{"_", 9, []string{"c_d@"}},
		{"nobody", 9, nil},
	} {
		var found []auth.Account
		b := &pgx.Batch{}
		auth.QueueAccounts(b, c.text, c.most, &found)
		must(t, db.SendBatch(t.Context(), b).Close())
		var got []string
		for _, a := range found {
			got = append(got, strings.TrimSuffix(a.Email, "example.com"))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("the search for %q finds %q, want %q", c.text, got, c.want)
		}
	}
	_, err := users.Find(t.Context(), "nobody@example.com")
	wantErr(t, "Find of nobody", err, auth.ErrNoUser)
	for id, want := range map[int64]string{1: "bob", 99: ""} {
		var a auth.Account
		b := &pgx.Batch{}
		auth.QueueAccount(b, id, &a)
		must(t, db.SendBatch(t.Context(), b).Close())
		if a.Name != want {
			t.Errorf("QueueAccount of %d finds %+v, want %q", id, a, want)
		}
	}
}
