package web

import (
	"errors"
	"net/http"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"
)

// SignupPage asks for what an account needs.
type SignupPage struct {
	view.Layout
	Name, Email, Next string
	Problem           string            // with the form as a whole
	Problems          auth.InvalidError // a sentence at each field that is wrong
}

// Template names the page's file.
func (*SignupPage) Template() string { return "signup.html" }

func (s *Shop) signUpForm(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.URL.Query().Get("next"))
	if session, _ := sessions.From(r.Context()); session.UserID != 0 {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	return s.showSignUp(w, r, http.StatusOK, &SignupPage{Next: next})
}

func (s *Shop) showSignUp(w http.ResponseWriter, r *http.Request, status int, p *SignupPage) error {
	if _, err := s.load(w, r, &p.Layout); err != nil {
		return err
	}
	p.Title, p.Path = "Open an account", "/signup"
	if p.Next == "/" {
		p.Next = ""
	}
	return s.pages.Render(w, status, p)
}

// signUp makes an account and sends to the sign-in. It answers the same
// whether or not there was an account with that e-mail, so it cannot sign the
// visitor in: that would tell.
func (s *Shop) signUp(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	next := localPath(f.get("next"))
	p := &SignupPage{Name: f.get("name"), Email: f.get("email"), Next: next}
	if s.signUpLimit.OnLimit(w, r, clientAddress(r)) {
		s.log.WarnContext(r.Context(), "sign-ups limited", "request", requestIDFrom(r.Context()), "address", clientAddress(r))
		p.Problem = "Too many accounts have been opened from where you are. Please try again in an hour."
		return s.showSignUp(w, r, http.StatusTooManyRequests, p)
	}
	err = s.users.SignUp(r.Context(), f.get("name"), f.get("email"), f.get("password"))
	if invalid, ok := errors.AsType[*auth.InvalidError](err); ok {
		p.Problems = *invalid
		return s.showSignUp(w, r, http.StatusUnprocessableEntity, p)
	}
	if busy, ok := errors.AsType[*auth.BusyError](err); ok {
		refused := s.passwordTurnedAway(r, busy)
		p.Problem = refused.why
		return s.showSignUp(w, r, refused.answer(w), p)
	}
	if err != nil {
		return err
	}
	s.log.InfoContext(r.Context(), "signed up", "request", requestIDFrom(r.Context()), "address", clientAddress(r))
	s.leaveNotice(w, noticeSignedUp)
	http.Redirect(w, r, signInAddress(next), http.StatusSeeOther)
	return nil
}
