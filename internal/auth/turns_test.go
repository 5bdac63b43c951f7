package auth_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"coatcheck/internal/auth"
)

func TestHashingLeavesACoreToTheShop(t *testing.T) {
	t.Parallel()
	users := open(t, auth.Config{})
	atOnce, waiting := users.Turns()
	if want := max(1, runtime.GOMAXPROCS(0)-1); atOnce != want || waiting != want*auth.QueueFor(4) {
		t.Errorf("%d passwords are hashed at once and %d may wait, want %d and %d", atOnce, waiting, want, want*auth.QueueFor(4))
	}
	// Two seconds' work for each: at cost 12, a quarter of a second a hash.
	for cost, want := range map[int]int{4: 2048, 11: 16, 12: 8, 13: 4, 15: 1, 16: 1, 31: 1} {
		if got := auth.QueueFor(cost); got != want {
			t.Errorf("at cost %d, %d may wait for each turn, want %d", cost, got, want)
		}
	}
}

// gone is the context of somebody who has left. Whoever is let in to wait with
// it is not kept, and whoever is turned away is told so all the same, so that
// no test need wait to learn which of them it was.
func gone(t *testing.T) context.Context {
	ctx, leave := context.WithCancel(t.Context())
	leave()
	return ctx
}

// attempts are all that costs a hash.
func attempts(ctx context.Context, users *auth.Users, alice auth.User) map[string]error {
	_, known := users.SignIn(ctx, email, "a wrong guess", here)
	_, unknown := users.SignIn(ctx, "nobody@example.com", "a wrong guess", here)
	_, odd := users.SignIn(ctx, "no e-mail", "a wrong guess", here)
	return map[string]error{
		"a sign-in, known e-mail":   known,
		"a sign-in, unknown e-mail": unknown,
		"a sign-in, no e-mail":      odd,
		"a sign-up, known e-mail":   users.SignUp(ctx, "Alice", email, password),
		"a sign-up, unknown e-mail": users.SignUp(ctx, "Bob", "bob@example.com", password),
		"another password":          users.SetPassword(ctx, alice, another, nil),
	}
}

// However many come, so many wait, and everybody else is turned away at once,
// whoever they say they are (ASVS 6.3.8). That is no guess at a password.
func TestQueueForHashingIsBounded(t *testing.T) {
	t.Parallel()
	const waiting = 3
	users, db, alice := withAlice(t, auth.Config{Waiting: waiting})
	atOnce, _ := users.Turns()
	giveBack := users.TakeEveryTurn()
	signedIn, leave := make(chan error, waiting), make([]context.CancelFunc, waiting)
	for i := range waiting {
		ctx, cancel := context.WithCancel(t.Context())
		leave[i] = cancel
		go func() {
			_, err := users.SignIn(ctx, email, password, here)
			signedIn <- err
		}()
	}
	for users.InLine() < atOnce+waiting {
		select {
		case err := <-signedIn:
			t.Fatalf("SignIn does not wait for its turn: %v", err)
		default:
			runtime.Gosched()
		}
	}

	before := accounts(t, db)
	for what, err := range attempts(gone(t), users, alice) {
		busy, ok := errors.AsType[*auth.BusyError](err)
		if _, refused := errors.AsType[*auth.RefusedError](err); !ok || refused || busy.RetryAfter <= 0 {
			t.Errorf("%s, when as many wait as may: %v; want to be turned away", what, err)
		}
	}
	var failures int
	must(t, db.QueryRow(t.Context(), `SELECT count(*) FROM sign_in_failures`).Scan(&failures))
	if failures != 0 || accounts(t, db) != before {
		t.Errorf("to be turned away is counted as %d failures", failures)
	}

	leave[0]() // and make room for somebody else
	wantErr(t, "somebody who has left the queue", <-signedIn, context.Canceled)
	_, err := users.SignIn(gone(t), email, password, here)
	wantErr(t, "SignIn when there is room in the queue", err, context.Canceled)

	giveBack()
	for range waiting - 1 {
		must(t, <-signedIn)
	}
	if n := users.InLine(); n != 0 {
		t.Errorf("%d are in line when nobody is", n)
	}
	for _, leave := range leave {
		leave()
	}
}

// Who waits for a turn at hashing, and leaves, is not kept.
func TestWaitForATurnEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	users, _, alice := withAlice(t, auth.Config{})
	giveBack := users.TakeEveryTurn()
	inLine := users.InLine()
	for what, err := range attempts(gone(t), users, alice) {
		wantErr(t, what, err, context.Canceled)
	}
	if n := users.InLine(); n != inLine {
		t.Errorf("%d of those who have left are still in line", n-inLine)
	}
	giveBack()
}

// Whatever comes of it, a turn that was taken is given back.
func TestTurnIsGivenBack(t *testing.T) {
	t.Parallel()
	users, db, alice := withAlice(t, auth.Config{Failures: 1})
	for range 2 { // the second time, guesses are throttled, and the password has changed
		attempts(t.Context(), users, alice)
	}
	db.Close()
	attempts(t.Context(), users, alice)
	if n := users.InLine(); n != 0 {
		t.Errorf("%d turns are kept", n)
	}
}
