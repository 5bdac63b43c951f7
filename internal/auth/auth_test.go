package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/postgres/pgtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/crypto/bcrypt"
)

const here = "203.0.113.9"

func open(t *testing.T, c auth.Config) *auth.Users {
	t.Helper()
	if c.DB == nil {
		c.DB = pgtest.New(t)
	}
	if c.Cost == 0 {
		c.Cost = bcrypt.MinCost
	}
	users, err := auth.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func signUp(t *testing.T, users *auth.Users, email, password string) {
	t.Helper()
	if err := users.SignUp(t.Context(), "Alice", email, password); err != nil {
		t.Fatal(err)
	}
}

// wantSignIn expects that the password is the account's, or is not.
func wantSignIn(t *testing.T, users *auth.Users, email, password string, ok bool) {
	t.Helper()
	user, err := users.SignIn(t.Context(), email, password, here)
	switch {
	case ok && (err != nil || user.ID == 0):
		t.Errorf("SignIn(%q, %q) = %v, %v; want the user", email, password, user, err)
	case !ok && (!errors.Is(err, auth.ErrWrong) || user != auth.User{}):
		t.Errorf("SignIn(%q, %q) = %v, %v; want ErrWrong", email, password, user, err)
	}
}

func TestSignUpThenSignIn(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{})
	if err := users.SignUp(t.Context(), " Alice Liddell ", " Alice@Example.COM ", "down the hole"); err != nil {
		t.Fatal(err)
	}
	user, err := users.SignIn(t.Context(), "ALICE@example.com", "down the hole", here)
	if err != nil || user.Name != "Alice Liddell" || user.Email != "alice@example.com" || user.Role != auth.Customer {
		t.Errorf("SignIn: %+v, %v", user, err)
	}
	wantSignIn(t, users, "alice@example.com", "down the hol", false)
	wantSignIn(t, users, "alice@example.com", "Down the hole", false)
	wantSignIn(t, users, "alice@example.com", "", false)
	wantSignIn(t, users, "bob@example.com", "down the hole", false)
	wantSignIn(t, users, "", "", false)
	wantSignIn(t, users, "", "nobody's password", false) // the decoy's is nobody's
	wantSignIn(t, users, "bob@example.com", "nobody's password", false)
	wantSignIn(t, users, "alice\x00@example.com", "down the hole", false)
	wantSignIn(t, users, "\xff@example.com", "down the hole", false)
	wantSignIn(t, users, "alice@example.com' --", "down the hole", false)
}

// ASVS 6.3.8
func TestSignUpWithAKnownEmailChangesNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	users := open(t, auth.Config{DB: db})
	signUp(t, users, "alice@example.com", "down the hole")
	before := account(t, db)
	if err := users.SignUp(t.Context(), "Mallory", "ALICE@example.com", "mallory was here"); err != nil {
		t.Errorf("SignUp with a known e-mail: %v, want what an unknown one gets", err)
	}
	if after := account(t, db); after != before {
		t.Errorf("the account was %s and is %s", before, after)
	}
	wantSignIn(t, users, "alice@example.com", "down the hole", true)
	wantSignIn(t, users, "alice@example.com", "mallory was here", false)
}

// An operator learns what a visitor must not: so that a role goes to the account
// that was just opened, and never to one that somebody else has opened.
func TestAddTellsThatAnEmailIsTaken(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{DB: pgtest.New(t)})
	alice, err := users.Add(t.Context(), "Alice", "alice@example.com", "down the hole")
	if err != nil {
		t.Fatal(err)
	}
	if id, err := users.Add(t.Context(), "Mallory", " ALICE@example.com", "mallory was here"); id != 0 || !errors.Is(err, auth.ErrTaken) {
		t.Errorf("Add with a known e-mail: user %d, %v; want ErrTaken", id, err)
	}
	wantSignIn(t, users, "alice@example.com", "down the hole", true)
	found, err := users.Find(t.Context(), "alice@example.com")
	if err != nil || found.ID != alice || found.Role != auth.Customer {
		t.Errorf("found is %+v, %v; want customer %d", found, err, alice)
	}
	emails, err := users.Emails(t.Context(), []int64{alice, alice, 0, alice + 1})
	if err != nil || len(emails) != 1 || emails[alice] != "alice@example.com" {
		t.Errorf("the e-mails are %v, %v", emails, err)
	}
}

// account is the one account in the database, with its version.
func account(t *testing.T, db *pgxpool.Pool) (row string) {
	t.Helper()
	if err := db.QueryRow(t.Context(), `SELECT xmin || ' ' || u FROM users u`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	return row
}

func TestSignUpSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{})
	for _, c := range []struct{ name, email string }{
		{"", "alice@example.com"},
		{" \t ", "alice@example.com"},
		{strings.Repeat("ä", 101), "alice@example.com"},
		{"Alice\nBcc: all", "alice@example.com"},
		{"Alice", ""},
		{"Alice", "alice"},
		{"Alice", "alice@"},
		{"Alice", "@example.com"},
		{"Alice", "Alice <alice@example.com>"},
		{"Alice", "alice@example.com, bob@example.com"},
		{"Alice", "alice@example.com\r\nBcc: bob@example.com"},
		{"Alice", "alice@example.com\x00"},
		{"Alice", strings.Repeat("a", 243) + "@example.com"}, // 255 bytes
	} {
		err := users.SignUp(t.Context(), c.name, c.email, "a long enough one")
		invalid, ok := errors.AsType[*auth.InvalidError](err)
		if !ok || (invalid.Name == "") == (invalid.Email == "") || invalid.Password != "" {
			t.Errorf("SignUp(%q, %q): %v, want one field to be wrong", c.name, c.email, err)
		}
	}
	err := users.SignUp(t.Context(), strings.Repeat("ä", 100), strings.Repeat("a", 242)+"@example.com", "a long enough one")
	if err != nil {
		t.Errorf("SignUp at the limits: %v", err)
	}
}

// Go and Postgres must agree on what a small letter is, or the account could
// not be written.
func TestEveryLetterCanBePartOfAnEmail(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{})
	for _, letters := range []string{"ÄÖÜẞ", "ΑΒΓΣς", "ДЖЯ", "İIıi", "ǅǄǆ", "Kelvin", "ᏣᎳᎩ", "ᲐᲑ", "ꟋꟚꟜ", "𐐀", "𐵐"} {
		if err := users.SignUp(t.Context(), "Alice", letters+"@example.com", "a long enough one"); err != nil {
			t.Errorf("SignUp with %q: %v", letters, err)
			continue
		}
		wantSignIn(t, users, letters+"@example.com", "a long enough one", true)
	}
}

func TestHashIsAsCostlyAsConfigured(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	signUp(t, open(t, auth.Config{DB: db, Cost: 5}), "alice@example.com", "down the hole")
	var hash string
	if err := db.QueryRow(t.Context(), `SELECT password_hash FROM users`).Scan(&hash); err != nil {
		t.Fatal(err)
	}
	wantCost(t, hash, 5)

	users, err := auth.New(auth.Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	wantCost(t, users.Decoy(), 12)
	if _, err := auth.New(auth.Config{DB: db, Cost: bcrypt.MaxCost + 1}); err == nil {
		t.Error("New takes a cost that bcrypt does not know")
	}
}

func wantCost(t *testing.T, hash string, want int) {
	t.Helper()
	if got, err := bcrypt.Cost([]byte(hash)); got != want || err != nil {
		t.Errorf("the hash costs %d, %v; want %d", got, err, want)
	}
}

// ASVS 6.3.8: a sign-in takes as long for an unknown e-mail as for a known
// one, and so does a sign-up. The hash dominates, so a missing one would show
// as a ratio of many.
func TestUnknownEmailCostsTheSame(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{Cost: 7, Failures: 1_000})
	signUp(t, users, "alice@example.com", "down the hole")
	attempts := map[string]func(){
		"sign-in, known":   func() { users.SignIn(t.Context(), "alice@example.com", "a wrong guess", here) },
		"sign-in, unknown": func() { users.SignIn(t.Context(), "bob@example.com", "a wrong guess", here) },
		"sign-in, odd":     func() { users.SignIn(t.Context(), "no e-mail", "a wrong guess", here) },
		"sign-up, known":   func() { users.SignUp(t.Context(), "A", "alice@example.com", "down the hole") },
		"sign-up, unknown": func() {
			users.SignUp(t.Context(), "A", time.Now().Format("150405.000000000")+"@example.com", "down the hole")
		},
	}
	// The quickest of several tells: a busy machine only ever adds, so it may
	// try for longer. What does not hash is quicker for good.
	quickest := map[string]time.Duration{}
	unlike := func() (pairs []string) {
		for _, pair := range [][2]string{{"sign-in, known", "sign-in, unknown"}, {"sign-in, known", "sign-in, odd"}, {"sign-up, known", "sign-up, unknown"}} {
			a, b := quickest[pair[0]], quickest[pair[1]]
			if a > 2*b || b > 2*a {
				pairs = append(pairs, fmt.Sprintf("%s: %v, %s: %v", pair[0], a, pair[1], b))
			}
		}
		return pairs
	}
	for round := 0; round < 9 || round < 60 && unlike() != nil; round++ {
		for name, attempt := range attempts {
			start := time.Now()
			attempt()
			if took := time.Since(start); quickest[name] == 0 || took < quickest[name] {
				quickest[name] = took
			}
		}
	}
	for _, pair := range unlike() {
		t.Error("two take unlike times: ", pair)
	}
}

func TestPepperMatters(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	peppered := open(t, auth.Config{DB: db, Pepper: []byte("secret of the house")})
	signUp(t, peppered, "alice@example.com", "down the hole")
	wantSignIn(t, peppered, "alice@example.com", "down the hole", true)
	wantSignIn(t, open(t, auth.Config{DB: db}), "alice@example.com", "down the hole", false)
	wantSignIn(t, open(t, auth.Config{DB: db, Pepper: []byte("another one")}), "alice@example.com", "down the hole", false)
}

func TestFailuresAreCountedByAccountAndAddress(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	db := pgtest.New(t)
	users := open(t, auth.Config{DB: db, Failures: 3, Now: func() time.Time { return now }})
	signUp(t, users, "alice@example.com", "down the hole")
	for range 3 {
		wantSignIn(t, users, "alice@example.com", "a wrong guess", false)
	}
	now = now.Add(auth.FailureWindow - time.Second)
	for _, password := range []string{"a wrong guess", "down the hole"} {
		_, err := users.SignIn(t.Context(), "alice@example.com", password, here)
		if throttled, ok := errors.AsType[*auth.ThrottledError](err); !ok || throttled.RetryAfter != time.Second {
			t.Errorf("SignIn after 3 failures: %v, want to be throttled for 1s", err)
		}
	}
	if _, err := users.SignIn(t.Context(), "alice@example.com", "down the hole", "198.51.100.7"); err != nil {
		t.Errorf("SignIn from another address: %v", err)
	}
	if n, err := users.SweepFailures(t.Context()); n != 0 || err != nil {
		t.Errorf("SweepFailures removed %d, %v, while the count holds somebody up", n, err)
	}

	now = now.Add(time.Second) // the window begins at the first failure
	for range 3 {
		wantSignIn(t, users, "alice@example.com", "a wrong guess", false)
	}
	now = now.Add(auth.FailureWindow)
	if n, err := users.SweepFailures(t.Context()); n != 1 || err != nil {
		t.Errorf("SweepFailures removed %d, %v; want 1", n, err)
	}
	wantSignIn(t, users, "alice@example.com", "down the hole", true)
}

// Several servers hash in parallel, so guesses pass the first look at the count
// together. The count itself lets no more through.
func TestVolleyAtSeveralServersCannotSlipPastTheCount(t *testing.T) {
	t.Parallel()
	const failures = 5
	db := pgtest.New(t)
	var mu sync.Mutex
	wrong, throttled := 0, 0
	var guesses sync.WaitGroup
	for range 4 {
		server := open(t, auth.Config{DB: db, Failures: failures})
		for range 10 {
			guesses.Go(func() {
				_, err := server.SignIn(t.Context(), "alice@example.com", "a wrong guess", here)
				mu.Lock()
				defer mu.Unlock()
				if errors.Is(err, auth.ErrWrong) {
					wrong++
				} else if _, ok := errors.AsType[*auth.ThrottledError](err); ok {
					throttled++
				}
			})
		}
	}
	guesses.Wait()
	if wrong != failures || throttled != 40-failures {
		t.Errorf("of 40 guesses %d were answered and %d throttled, want %d and %d", wrong, throttled, failures, 40-failures)
	}
}

func TestRoleIsReadAtEachRequest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	users := open(t, auth.Config{DB: db})
	if err := users.SeedDemo(t.Context()); err != nil {
		t.Fatal(err)
	}
	alice, err := users.SignIn(t.Context(), "alice@example.com", "coat-check-alice", here)
	if err != nil {
		t.Fatal(err)
	}
	if got := queued(t, db, alice.ID); got.ID != alice.ID || got.Email != alice.Email || got.Name != alice.Name || got.Role != auth.Customer {
		t.Errorf("QueueUsers finds %+v, want %+v", got, alice)
	}
	if err := users.SetRole(t.Context(), alice.ID, auth.Administrator, nil); err != nil {
		t.Fatal(err)
	}
	if got := queued(t, db, alice.ID); got.Role != auth.Administrator {
		t.Errorf("QueueUsers finds %+v, want an administrator", got)
	}
	if got := queued(t, db, alice.ID+1000); got != (auth.User{}) {
		t.Errorf("QueueUsers finds %+v, want nobody", got)
	}
	if err := users.SetRole(t.Context(), alice.ID, "emperor", nil); err == nil {
		t.Error("SetRole takes a role that there is not")
	}
	if err := users.SetRole(t.Context(), alice.ID+1000, auth.Customer, nil); !errors.Is(err, auth.ErrNoUser) {
		t.Errorf("SetRole of a user that there is not: %v", err)
	}
}

func queued(t *testing.T, db *pgxpool.Pool, id int64) (user auth.User) {
	t.Helper()
	b, found := &pgx.Batch{}, map[int64]auth.User{}
	auth.QueueUsers(b, []int64{id}, found)
	if err := db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Error(err)
	}
	return found[id]
}

func TestSeedLeavesAccountsAsTheyAre(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	users := open(t, auth.Config{DB: db})
	signUp(t, users, "admin@example.com", "not the demo's one")
	for range 2 {
		if err := users.SeedDemo(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	wantSignIn(t, users, "alice@example.com", "coat-check-alice", true)
	wantSignIn(t, users, "bob@example.com", "coat-check-bob", true)
	admin, err := users.SignIn(t.Context(), "admin@example.com", "not the demo's one", here)
	if err != nil || admin.Role != auth.Customer {
		t.Errorf("SeedDemo made %+v of somebody's account, %v", admin, err)
	}
}

func TestErrorsOfTheDatabaseAreNotWrongPasswords(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	users := open(t, auth.Config{DB: db})
	db.Close()
	ctx := t.Context()
	_, signIn := users.SignIn(ctx, "alice@example.com", "down the hole", here)
	_, sweep := users.SweepFailures(ctx)
	for name, err := range map[string]error{
		"SignIn":        signIn,
		"SignUp":        users.SignUp(ctx, "Alice", "alice@example.com", "down the hole"),
		"SetRole":       users.SetRole(ctx, 1, auth.Customer, nil),
		"SeedDemo":      users.SeedDemo(ctx),
		"SweepFailures": sweep,
	} {
		if err == nil || errors.Is(err, auth.ErrWrong) {
			t.Errorf("%s without a database: %v", name, err)
		}
	}
}
