package web

import (
	"errors"
	"net/http"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
)

// SessionsPage shows a visitor where their account is signed in, and what has
// happened to the session that shows it.
type SessionsPage struct {
	view.Layout
	Fresh    bool   // the password was given within the last five minutes
	Problem  string // with the password that was given now
	Sessions []SessionRow
	Story    []EventRow // what happened to this session, the oldest first
}

// SessionRow is a session as its user, or an administrator, sees it.
type SessionRow struct {
	Handle    string
	Current   bool      // it is the one that asks
	Kept      bool      // "keep me signed in"
	CreatedAt time.Time // when the password was last given
	SeenAt    time.Time
	EndsAt    time.Time // its absolute deadline
	// As they were when the password was given; from the record.
	Browser, Address string
}

// Template names the page's file.
func (*SessionsPage) Template() string { return "sessions.html" }

func (s *Shop) sessionList(w http.ResponseWriter, r *http.Request) error {
	return s.showSessions(w, r, http.StatusOK, &SessionsPage{})
}

func (s *Shop) showSessions(w http.ResponseWriter, r *http.Request, status int, p *SessionsPage) error {
	ctx := r.Context()
	this, _ := sessions.From(ctx)
	list, err := s.sessions.ByUser(ctx, this.UserID)
	if err != nil {
		return err
	}
	var story []sessions.Event
	signIns := map[string]sessions.Event{}
	_, err = s.load(w, r, &p.Layout, func(b *pgx.Batch) {
		pgstore.QueueSignIns(b, handles(list), signIns)
		pgstore.QueueStory(b, this.Handle, &story)
	})
	if err != nil {
		return err
	}
	p.Title, p.Path = "Your sessions", "/account/sessions"
	p.Fresh = s.fresh(ctx)
	p.Sessions = s.sessionRows(list, signIns, this.Handle)
	p.Story = eventRows(story)
	return s.pages.Render(w, status, p)
}

func handles(list []sessions.Session) []string {
	h := make([]string, len(list))
	for i, session := range list {
		h[i] = session.Handle
	}
	return h
}

// sessionRows joins what the store knows with what is on record.
func (s *Shop) sessionRows(list []sessions.Session, signIns map[string]sessions.Event, this string) []SessionRow {
	rows := make([]SessionRow, len(list))
	for i, session := range list {
		signIn := signIns[session.Handle]
		rows[i] = SessionRow{
			Handle: session.Handle, Current: session.Handle == this, Kept: s.sessions.Kept(session),
			CreatedAt: session.CreatedAt, SeenAt: s.sessions.SeenAt(session), EndsAt: session.Until,
			Browser: signIn.Browser, Address: signIn.Address,
		}
	}
	return rows
}

// askPassword lets a visitor go on who has given the password within the last
// five minutes, or gives it now and so gets a new session ID. To anyone else
// it shows the page again. It reports whether to go on.
func (s *Shop) askPassword(w http.ResponseWriter, r *http.Request) (goOn bool, err error) {
	f, err := readForm(w, r)
	if err != nil {
		return false, err
	}
	if s.fresh(r.Context()) {
		return true, nil
	}
	_, err = s.verify(r, f)
	if refused, ok := errors.AsType[*refusedPassword](err); ok {
		return false, s.showSessions(w, r, refused.answer(w), &SessionsPage{Problem: refused.why})
	}
	if err != nil {
		return false, err
	}
	err = s.sessions.Renew(w, r)
	if errors.Is(err, sessions.ErrNotFound) {
		// Somebody has ended this session a moment ago, and with it the right
		// to go on; or the button was pressed twice, and the first press has
		// moved the session to a new ID, which the second must not end.
		http.Redirect(w, r, "/account/sessions", http.StatusSeeOther)
		return false, nil
	}
	return err == nil, err
}

// confirmPassword does nothing else.
func (s *Shop) confirmPassword(w http.ResponseWriter, r *http.Request) error {
	if goOn, err := s.askPassword(w, r); !goOn || err != nil {
		return err
	}
	s.leaveNotice(w, noticeConfirmed)
	http.Redirect(w, r, "/account/sessions", http.StatusSeeOther)
	return nil
}

// revokeSession ends one of the visitor's own sessions. Another user's is not
// there for them (ASVS 5.0 V7.5.2).
func (s *Shop) revokeSession(w http.ResponseWriter, r *http.Request) error {
	this, _ := sessions.From(r.Context())
	handle := chi.URLParam(r, "handle")
	if !isText(handle) {
		return errNotFound
	}
	if goOn, err := s.askPassword(w, r); !goOn || err != nil {
		return err
	}
	if handle == this.Handle {
		return s.signOut(w, r)
	}
	err := s.sessions.EndHandle(r.Context(), this.UserID, handle, byOwner)
	if errors.Is(err, sessions.ErrNotFound) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	s.leaveNotice(w, noticeRevoked)
	http.Redirect(w, r, "/account/sessions", http.StatusSeeOther)
	return nil
}

func (s *Shop) revokeOthers(w http.ResponseWriter, r *http.Request) error {
	if goOn, err := s.askPassword(w, r); !goOn || err != nil {
		return err
	}
	switch _, err := s.sessions.EndOthers(r.Context(), byOwner); {
	case err == nil:
		s.leaveNotice(w, noticeRevokedOthers)
	case !errors.Is(err, sessions.ErrNotFound): // moved in another tab: the page shows what is left
		return err
	}
	http.Redirect(w, r, "/account/sessions", http.StatusSeeOther)
	return nil
}
