package web

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"
)

// LoginPage asks who the visitor is.
type LoginPage struct {
	view.Layout
	Email, Next string
	Keep        bool   // "keep me signed in"
	KeepFor     string // for how long that is
	Problem     string
	Wrong       bool // the problem is what was entered
}

// Template names the page's file.
func (*LoginPage) Template() string { return "login.html" }

func (s *Shop) signInForm(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	if session, _ := sessions.From(r.Context()); session.UserID != 0 {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return s.showSignIn(w, r, http.StatusOK, &LoginPage{Next: next})
}

func (s *Shop) showSignIn(w http.ResponseWriter, r *http.Request, status int, p *LoginPage) error {
	if _, err := s.load(w, r, &p.Layout); err != nil {
		return err
	}
	p.Title, p.Path = "Sign in", "/login"
	p.KeepFor = days(s.kept.Lifetime)
	if p.Next == "/" {
		p.Next = "" // where everyone goes
	}
	return s.pages.Render(w, status, p)
}

// signIn is where a guest becomes somebody. The order matters: the password
// first; then the carts, which may be merged twice without harm; then the
// move to a new session ID, by which the guest's session dies; then the
// guest's cart, which no session refers to any more; and the answer only when
// all of that is done.
func (s *Shop) signIn(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	ctx, address := r.Context(), clientAddress(r)
	user, err := s.users.SignIn(ctx, f.get("email"), f.get("password"), address)
	if err != nil {
		return s.signInFailed(w, r, f, err)
	}

	guestCart := int64(0)
	if session, _ := sessions.From(ctx); session.UserID == 0 {
		guestCart = session.CartID // somebody else's cart stays theirs
	}
	cartID, capped, err := s.carts.Merge(ctx, guestCart, user.ID, s.now())
	if err != nil {
		return err
	}
	if err := s.sessions.SignIn(w, r, sessions.Refs{UserID: user.ID, CartID: cartID}, f.get("keep") != ""); err != nil {
		return err
	}
	r, cancel := finishing(r)
	defer cancel()
	if err := s.users.Confirm(r.Context(), user); err != nil {
		return s.takeBack(w, r, f, err)
	}
	s.metrics.SignIn("ok")
	s.log.InfoContext(ctx, "signed in", "request", requestIDFrom(ctx), "user", user.ID, "address", address)
	if err := s.carts.Retire(ctx, guestCart, cartID); err != nil {
		return err
	}

	if capped {
		s.leaveNotice(w, noticeCapped)
	} else {
		s.leaveNotice(w, noticeSignedIn)
	}
	http.Redirect(w, r, localPath(f.get("next")), http.StatusSeeOther)
	return nil
}

// takeBack ends a session that was made for a user who, as it turns out, may
// not be signed in: the password was changed at that very moment. Whether or
// not that works, the ticket stays here.
func (s *Shop) takeBack(w http.ResponseWriter, r *http.Request, f form, err error) error {
	w.Header().Del("Set-Cookie")
	if err := s.sessions.SignOut(w, r); err != nil && !errors.Is(err, sessions.ErrNotFound) {
		return err
	}
	return s.signInFailed(w, r, f, err)
}

func (s *Shop) signInFailed(w http.ResponseWriter, r *http.Request, f form, err error) error {
	ctx := r.Context()
	p := &LoginPage{Email: f.get("email"), Next: localPath(f.get("next")), Keep: f.get("keep") != ""}
	throttled, isThrottled := errors.AsType[*auth.ThrottledError](err)
	busy, isBusy := errors.AsType[*auth.BusyError](err)
	status := http.StatusUnprocessableEntity
	switch {
	case isThrottled:
		s.metrics.SignIn("throttled")
		s.log.WarnContext(ctx, "sign-in throttled", "request", requestIDFrom(ctx), "address", clientAddress(r))
		status = tooMany(throttled).answer(w)
		p.Problem = tryAgainIn(throttled)
	case isBusy:
		s.metrics.SignIn("busy")
		s.log.WarnContext(ctx, "sign-in turned away", "request", requestIDFrom(ctx), "address", clientAddress(r))
		status = tooBusy(busy).answer(w)
		p.Problem = comeAgain
	case errors.Is(err, auth.ErrWrong):
		s.metrics.SignIn("wrong")
		s.log.WarnContext(ctx, "sign-in failed", "request", requestIDFrom(ctx), "address", clientAddress(r))
		p.Problem, p.Wrong = "E-mail and password do not go together. Please check both and try again.", true
	case errors.Is(err, auth.ErrDisabled):
		s.metrics.SignIn("disabled")
		s.log.WarnContext(ctx, "sign-in to a disabled account", "request", requestIDFrom(ctx), "address", clientAddress(r))
		p.Problem = "This account has been closed for now. Please ask the shop."
	default:
		return err
	}
	if refused, ok := errors.AsType[*auth.RefusedError](err); ok {
		if err := s.recordRefusal(r, refused.UserID); err != nil {
			return err
		}
	}
	return s.showSignIn(w, r, status, p)
}

// tryAgainIn words that there were too many wrong passwords.
func tryAgainIn(t *auth.ThrottledError) string {
	minutes := int(math.Ceil(t.RetryAfter.Minutes()))
	return fmt.Sprintf("There were too many failed attempts for this account from where you are. Please try again in %d min.", minutes)
}

// days words a duration of a day or more.
func days(d time.Duration) string {
	n := int(math.Round(d.Hours() / 24))
	if n == 1 {
		return "a day"
	}
	return fmt.Sprintf("%d days", n)
}

// signOut ends the session. If that cannot be done now, the visitor is told
// so, and stays signed in.
func (s *Shop) signOut(w http.ResponseWriter, r *http.Request) error {
	session, live := sessions.From(r.Context())
	err := s.sessions.SignOut(w, r)
	if errors.Is(err, sessions.ErrNotFound) {
		// Another tab has ended this session, or moved it, at that very
		// moment. The next page shows which.
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	if live && session.UserID != 0 {
		s.log.InfoContext(r.Context(), "signed out", "request", requestIDFrom(r.Context()), "user", session.UserID)
	}
	s.leaveNotice(w, noticeSignedOut)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
