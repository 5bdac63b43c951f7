package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"coatcheck/internal/postgres"
	"coatcheck/internal/sessions"
	"coatcheck/internal/view"
	"coatcheck/internal/xray"
)

// problem is an error that a visitor should read.
type problem view.Problem

func (p *problem) Error() string { return (*view.Problem)(p).Error() }

var (
	errNotFound = &problem{http.StatusNotFound, "Nothing on this hook", "There is nothing at this address. It may have been sold, moved, or never been here."}

	errDown = &problem{http.StatusServiceUnavailable, "Back in a moment", "The cloakroom cannot be reached right now. Nothing is lost: your ticket stays good. Please try again in a few seconds."}

	errBroken = &problem{http.StatusInternalServerError, "Something came off its hanger", "That is our fault, not yours, and it has been noted. Please try again; if it happens once more, tell us the number below."}
)

// errNobody says that a session refers to a user who is no more.
var errNobody = errors.New("the session's user does not exist")

// handle adapts a handler that returns its error.
func (s *Shop) handle(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	}
}

// fail answers with the page that fits the error. Nothing has been sent so far.
func (s *Shop) fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	if errors.Is(err, errNobody) {
		s.turnAway(w, r)
		return
	}
	shown, ok := errors.AsType[*problem](err)
	told, fromPlace := errors.AsType[*view.Problem](err)
	switch {
	case ok:
	case fromPlace:
		shown = (*problem)(told)
	case errors.Is(err, fs.ErrNotExist): // says a Place
		shown = errNotFound
	case errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errLate):
		s.log.ErrorContext(ctx, "unavailable", "request", requestIDFrom(ctx), "error", errors.Join(errLate, err))
		shown = errDown
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		s.log.InfoContext(ctx, "the visitor left before the answer", "request", requestIDFrom(ctx))
		shown = errDown // nobody reads it
	case errors.Is(err, sessions.ErrUnavailable), postgres.Unavailable(err):
		s.log.ErrorContext(ctx, "unavailable", "request", requestIDFrom(ctx), "error", err)
		shown = errDown
	default:
		s.log.ErrorContext(ctx, "failed", "request", requestIDFrom(ctx), "error", err)
		shown = errBroken
	}
	s.showProblem(w, r, shown)
}

func (s *Shop) showProblem(w http.ResponseWriter, r *http.Request, shown *problem) {
	p := &ErrorPage{Status: shown.Status, Heading: shown.Heading, Text: shown.Text, Request: requestIDFrom(r.Context())}
	p.Demo, p.XRay = s.demo, xray.From(r.Context())
	if shown.Status < http.StatusInternalServerError {
		// The page shows who is looking. If that cannot be found out, it goes
		// without: the first error is the one to tell.
		if _, err := s.load(w, r, &p.Layout); err != nil {
			s.log.ErrorContext(r.Context(), "error page without its visitor", "error", err)
		}
	}
	p.Title, p.Path = shown.Heading, "/"
	if shown.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if err := s.pages.Render(w, shown.Status, p); err != nil {
		s.log.ErrorContext(r.Context(), "failed", "error", err)
		http.Error(w, shown.Text, shown.Status)
	}
}

// turnAway ends a session whose user is no more, and sends to the sign-in.
func (s *Shop) turnAway(w http.ResponseWriter, r *http.Request) {
	if err := s.sessions.SignOut(w, r); err != nil && !errors.Is(err, sessions.ErrNotFound) {
		s.fail(w, r, err)
		return
	}
	s.leaveNotice(w, noticeEnded)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// signedIn lets a handler run for visitors who are signed in, and sends the
// others to the sign-in, from where they come back.
func (s *Shop) signedIn(h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		session, _ := sessions.From(r.Context())
		if session.UserID != 0 {
			return h(w, r)
		}
		switch ticket := sessions.TicketFrom(r.Context()); {
		case ticket.TimedOut():
			s.leaveNotice(w, timedOut(ticket))
		case ticket == sessions.TicketUnknown:
			s.leaveNotice(w, noticeEnded)
		default:
			s.leaveNotice(w, noticeSignInFirst)
		}
		http.Redirect(w, r, signInAddress(r.URL.RequestURI()), http.StatusSeeOther)
		return nil
	}
}

// ErrorPage tells a visitor what went wrong and what to do.
type ErrorPage struct {
	view.Layout
	Status        int
	Heading, Text string
	Request       string // the request's ID, to be quoted to us
}

// Template names the page's file.
func (*ErrorPage) Template() string { return "error.html" }
