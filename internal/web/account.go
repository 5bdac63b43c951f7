package web

import (
	"errors"
	"net/http"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"
)

// AccountPage is where a visitor changes password and e-mail address.
type AccountPage struct {
	view.Layout
	NewEmail string // the one that was refused, as it was typed
	Problems AccountProblems
}

// AccountProblems has a sentence for each field that is wrong.
type AccountProblems struct {
	CurrentForPassword, NewPassword string
	CurrentForEmail, NewEmail       string
}

// Template names the page's file.
func (*AccountPage) Template() string { return "account.html" }

func (s *Shop) account(w http.ResponseWriter, r *http.Request) error {
	return s.showAccount(w, r, http.StatusOK, &AccountPage{})
}

func (s *Shop) showAccount(w http.ResponseWriter, r *http.Request, status int, p *AccountPage) error {
	if _, err := s.load(w, r, &p.Layout); err != nil {
		return err
	}
	p.Title, p.Path = "Your account", "/account"
	return s.pages.Render(w, status, p)
}

// changePassword takes the current password and a new one. Whoever else is
// signed in to the account may be the reason for the change, so all other
// sessions end, and this one gets a new ID (ASVS 5.0 V7.4.3, V7.5.1).
//
// The order matters: a sign-in with the old password that is under way finds
// out that it has changed (see auth.Users.Confirm), or is ended here.
func (s *Shop) changePassword(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	ctx, p := r.Context(), &AccountPage{}
	user, err := s.verify(r, f)
	if refused, ok := errors.AsType[*refusedPassword](err); ok {
		p.Problems.CurrentForPassword = refused.why
		return s.showAccount(w, r, refused.answer(w), p)
	}
	if err != nil {
		return err
	}
	err = s.users.SetPassword(ctx, user, f.get("new_password"), s.onRecord(r, pgstore.PasswordChanged, user.ID, byOwner))
	if invalid, ok := errors.AsType[*auth.InvalidError](err); ok {
		p.Problems.NewPassword = invalid.Password
		return s.showAccount(w, r, http.StatusUnprocessableEntity, p)
	}
	if errors.Is(err, auth.ErrWrong) {
		p.Problems.CurrentForPassword = "It has just been changed from somewhere else. Please try again."
		return s.showAccount(w, r, http.StatusConflict, p)
	}
	if busy, ok := errors.AsType[*auth.BusyError](err); ok {
		refused := s.passwordTurnedAway(r, busy)
		p.Problems.CurrentForPassword = refused.why
		return s.showAccount(w, r, refused.answer(w), p)
	}
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "password changed", "request", requestIDFrom(ctx), "user", user.ID)

	r, cancel := finishing(r)
	defer cancel()
	if err := s.renew(w, r); err != nil {
		return s.notFinished(r, err)
	}
	_, err = s.sessions.EndOthers(r.Context(), byOwner)
	if errors.Is(err, sessions.ErrNotFound) { // this one has been ended, perhaps by the very thief
		_, err = s.sessions.EndUser(r.Context(), user.ID, byOwner)
	}
	if err != nil {
		return s.notFinished(r, err)
	}
	s.leaveNotice(w, noticePassword)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}

func (s *Shop) changeEmail(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	ctx, p := r.Context(), &AccountPage{NewEmail: f.get("email")}
	user, err := s.verify(r, f)
	if refused, ok := errors.AsType[*refusedPassword](err); ok {
		p.Problems.CurrentForEmail = refused.why
		return s.showAccount(w, r, refused.answer(w), p)
	}
	if err != nil {
		return err
	}
	err = s.users.SetEmail(ctx, user, f.get("email"), clientAddress(r), s.onRecord(r, pgstore.EmailChanged, user.ID, byOwner))
	invalid, isInvalid := errors.AsType[*auth.InvalidError](err)
	throttled, isThrottled := errors.AsType[*auth.ThrottledError](err)
	switch {
	case isInvalid:
		p.Problems.NewEmail = invalid.Email
		return s.showAccount(w, r, http.StatusUnprocessableEntity, p)
	case isThrottled:
		refused := tooMany(throttled)
		p.Problems.NewEmail = refused.why
		return s.showAccount(w, r, refused.answer(w), p)
	case errors.Is(err, auth.ErrTaken):
		p.Problems.NewEmail = "That address cannot be used here. Please choose another."
		return s.showAccount(w, r, http.StatusUnprocessableEntity, p)
	case err != nil:
		return err
	}
	s.log.InfoContext(ctx, "e-mail changed", "request", requestIDFrom(ctx), "user", user.ID)
	if err := s.renew(w, r); err != nil {
		return err
	}
	s.leaveNotice(w, noticeEmail)
	http.Redirect(w, r, "/account", http.StatusSeeOther)
	return nil
}

// notFinished says that a password has changed and the other sessions may
// still be there.
func (s *Shop) notFinished(r *http.Request, err error) error {
	s.log.ErrorContext(r.Context(), "password changed, other sessions not ended", "request", requestIDFrom(r.Context()), "error", err)
	return &problem{http.StatusServiceUnavailable, "Changed, but not finished", "Your password has been changed, but other sessions of your account may still be open. Please go to your sessions in a moment and end them."}
}
