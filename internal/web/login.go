package web

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"
)

// LoginPage asks who the visitor is.
type LoginPage struct {
	view.Layout
	Email, Next string
	Problem     string
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
	if err := s.sessions.SignIn(w, r, sessions.Refs{UserID: user.ID, CartID: cartID}); err != nil {
		return err
	}
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

func (s *Shop) signInFailed(w http.ResponseWriter, r *http.Request, f form, err error) error {
	ctx := r.Context()
	p := &LoginPage{Email: f.get("email"), Next: localPath(f.get("next"))}
	if throttled, ok := errors.AsType[*auth.ThrottledError](err); ok {
		s.log.WarnContext(ctx, "sign-in throttled", "request", requestIDFrom(ctx), "address", clientAddress(r))
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(throttled.RetryAfter.Seconds()))))
		minutes := int(math.Ceil(throttled.RetryAfter.Minutes()))
		p.Problem = fmt.Sprintf("There were too many failed attempts for this account from where you are. Please try again in %d min.", minutes)
		return s.showSignIn(w, r, http.StatusTooManyRequests, p)
	}
	if errors.Is(err, auth.ErrWrong) {
		s.log.WarnContext(ctx, "sign-in failed", "request", requestIDFrom(ctx), "address", clientAddress(r))
		p.Problem = "E-mail and password do not go together. Please check both and try again."
		return s.showSignIn(w, r, http.StatusUnprocessableEntity, p)
	}
	return err
}

// signOut ends the session. If that cannot be done now, the visitor is told
// so, and stays signed in.
func (s *Shop) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.SignOut(w, r); err != nil {
		return err
	}
	if session, live := sessions.From(r.Context()); live && session.UserID != 0 {
		s.log.InfoContext(r.Context(), "signed out", "request", requestIDFrom(r.Context()), "user", session.UserID)
	}
	s.leaveNotice(w, noticeSignedOut)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
