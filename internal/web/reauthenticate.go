package web

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
)

// freshFor is how long a visitor who has given the password may do without
// giving it again where somebody who sat down at their computer must not.
const freshFor = 5 * time.Minute

func (s *Shop) fresh(ctx context.Context) bool {
	session, live := sessions.From(ctx)
	return live && s.now().Sub(session.CreatedAt) < freshFor
}

// refusedPassword says why the current password that was sent will not do.
type refusedPassword struct {
	status     int
	why        string
	retryAfter time.Duration // zero for at once
}

func (p *refusedPassword) Error() string { return p.why }

// answer sets what the answer's head has to say of it, and gives its status.
func (p *refusedPassword) answer(w http.ResponseWriter) int {
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	return p.status
}

func tooMany(t *auth.ThrottledError) *refusedPassword {
	return &refusedPassword{http.StatusTooManyRequests, tryAgainIn(t), t.RetryAfter}
}

// comeAgain words that more passwords have come than can be checked.
const comeAgain = "More passwords have come just now than we can work through. Yours is not at fault, and nothing has been done with it. Please enter it again in a few seconds."

func tooBusy(b *auth.BusyError) *refusedPassword {
	return &refusedPassword{http.StatusServiceUnavailable, comeAgain, b.RetryAfter}
}

// verify checks the current password, which the form carries, of the visitor
// who is signed in. Its error is a *refusedPassword if that is not right.
func (s *Shop) verify(r *http.Request, f form) (auth.User, error) {
	ctx := r.Context()
	session, _ := sessions.From(ctx)
	if f.get("current_password") == "" {
		return auth.User{}, &refusedPassword{status: http.StatusUnprocessableEntity, why: "Please enter your current password."}
	}
	user, err := s.users.Verify(ctx, session.UserID, f.get("current_password"), clientAddress(r))
	throttled, isThrottled := errors.AsType[*auth.ThrottledError](err)
	busy, isBusy := errors.AsType[*auth.BusyError](err)
	switch {
	case errors.Is(err, auth.ErrNoUser), errors.Is(err, auth.ErrDisabled):
		return auth.User{}, errNobody
	case isBusy:
		return auth.User{}, s.passwordTurnedAway(r, busy)
	case !isThrottled && !errors.Is(err, auth.ErrWrong):
		return user, err
	}
	s.log.WarnContext(ctx, "current password refused", "request", requestIDFrom(ctx), "user", session.UserID, "address", clientAddress(r))
	if err := s.recordRefusal(r, session.UserID); err != nil {
		return auth.User{}, err
	}
	if isThrottled {
		return auth.User{}, tooMany(throttled)
	}
	return auth.User{}, &refusedPassword{status: http.StatusUnprocessableEntity, why: "That is not your current password."}
}

// passwordTurnedAway logs that the visitor's password was not looked at, and
// gives what to say of it. It goes on no record: nobody has guessed anything.
func (s *Shop) passwordTurnedAway(r *http.Request, b *auth.BusyError) *refusedPassword {
	session, _ := sessions.From(r.Context())
	s.log.WarnContext(r.Context(), "password turned away", "request", requestIDFrom(r.Context()), "user", session.UserID, "address", clientAddress(r))
	return tooBusy(b)
}

// renew gives the visitor, who has just given the password again, a new ID.
// It is no failure if the session has ended meanwhile: what was asked for has
// been done, and the next page asks to sign in.
func (s *Shop) renew(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.Renew(w, r); !errors.Is(err, sessions.ErrNotFound) {
		return err
	}
	return nil
}
