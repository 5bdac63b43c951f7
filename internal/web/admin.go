package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
	"coatcheck/internal/view"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"
)

// AdminPage lists the users with their live sessions.
type AdminPage struct {
	view.Layout
	Search  string
	Users   []AdminRow
	More    bool   // there are more than are shown
	Problem string // with the password that was given
}

// AdminRow is a user as an administrator sees them.
type AdminRow struct {
	ID                int64
	Name, Email, Role string
	Disabled          bool
	Sessions          int // live ones
}

// Template names the page's file.
func (*AdminPage) Template() string { return "admin.html" }

// AdminUserPage shows one user: live sessions, and what is on record.
type AdminUserPage struct {
	view.Layout
	User      AdminRow
	CreatedAt time.Time
	Self      bool // it is the administrator who looks
	Sessions  []SessionRow
	Events    []EventRow // the newest first
	Problem   string
}

// Template names the page's file.
func (*AdminUserPage) Template() string { return "admin_user.html" }

// administrator lets a handler run for administrators. To anyone else there is
// nothing at the address. The role is read now, from the database: one that
// was taken away a moment ago counts no more (ASVS 5.0 V8.3.2).
func (s *Shop) administrator(h func(w http.ResponseWriter, r *http.Request, admin auth.User) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		session, _ := sessions.From(r.Context())
		if session.UserID == 0 {
			return errNotFound
		}
		v, err := s.visitor(r.Context(), session.Refs, nil)
		if err != nil {
			return err
		}
		if v.User.Role != auth.Administrator {
			return errNotFound
		}
		return h(w, r, v.User)
	}
}

const (
	usersShown  = 50
	eventsShown = 100
)

func (s *Shop) admin(w http.ResponseWriter, r *http.Request, _ auth.User) error {
	return s.showAdmin(w, r, http.StatusOK, &AdminPage{Search: r.URL.Query().Get("q")})
}

func (s *Shop) showAdmin(w http.ResponseWriter, r *http.Request, status int, p *AdminPage) error {
	if !isText(p.Search) {
		p.Search = ""
	}
	var accounts []auth.Account
	_, err := s.load(w, r, &p.Layout, func(b *pgx.Batch) {
		auth.QueueAccounts(b, p.Search, usersShown+1, &accounts)
	})
	if err != nil {
		return err
	}
	if len(accounts) > usersShown {
		accounts, p.More = accounts[:usersShown], true
	}
	for _, a := range accounts {
		live, err := s.sessions.ByUser(r.Context(), a.ID)
		if err != nil {
			return err
		}
		p.Users = append(p.Users, adminRow(a, len(live)))
	}
	p.Title, p.Path = "Administration", "/admin"
	return s.pages.Render(w, status, p)
}

func adminRow(a auth.Account, live int) AdminRow {
	return AdminRow{ID: a.ID, Name: a.Name, Email: a.Email, Role: string(a.Role), Disabled: a.Disabled, Sessions: live}
}

func (s *Shop) adminUser(w http.ResponseWriter, r *http.Request, admin auth.User) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	return s.showAdminUser(w, r, http.StatusOK, admin, &AdminUserPage{User: AdminRow{ID: id}})
}

func (s *Shop) showAdminUser(w http.ResponseWriter, r *http.Request, status int, admin auth.User, p *AdminUserPage) error {
	this, _ := sessions.From(r.Context())
	live, err := s.sessions.ByUser(r.Context(), p.User.ID)
	if err != nil {
		return err
	}
	var account auth.Account
	var events []sessions.Event
	signIns := map[string]sessions.Event{}
	_, err = s.load(w, r, &p.Layout, func(b *pgx.Batch) {
		auth.QueueAccount(b, p.User.ID, &account)
		pgstore.QueueSignIns(b, handles(live), signIns)
		pgstore.QueueEvents(b, p.User.ID, eventsShown, &events)
	})
	if err != nil {
		return err
	}
	if account.ID == 0 {
		return errNotFound
	}
	p.Title, p.Path = account.Name, "/admin"
	p.User, p.CreatedAt, p.Self = adminRow(account, len(live)), account.CreatedAt, account.ID == admin.ID
	p.Sessions = s.sessionRows(live, signIns, this.Handle)
	p.Events = eventRows(events)
	return s.pages.Render(w, status, p)
}

func userID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNotFound
	}
	return id, nil
}

// disableUser keeps a user from signing in, and then ends their sessions: a
// sign-in that is under way finds out the one, or meets the other.
func (s *Shop) disableUser(w http.ResponseWriter, r *http.Request, admin auth.User) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	if id == admin.ID {
		p := &AdminUserPage{User: AdminRow{ID: id}, Problem: "You cannot disable your own account: nobody might be left to enable it."}
		return s.showAdminUser(w, r, http.StatusUnprocessableEntity, admin, p)
	}
	err = s.users.Disable(r.Context(), id, s.onRecord(r, pgstore.Disabled, id, byAdministrator(admin)))
	if err := s.acted(r, admin, "account disabled", id, err); err != nil {
		return err
	}
	r, cancel := finishing(r)
	defer cancel()
	if _, err := s.sessions.EndUser(r.Context(), id, byAdministrator(admin)); err != nil {
		return err
	}
	return s.backToUser(w, r, id, noticeDisabled)
}

func (s *Shop) enableUser(w http.ResponseWriter, r *http.Request, admin auth.User) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	err = s.users.Enable(r.Context(), id, s.onRecord(r, pgstore.Enabled, id, byAdministrator(admin)))
	if err := s.acted(r, admin, "account enabled", id, err); err != nil {
		return err
	}
	return s.backToUser(w, r, id, noticeEnabled)
}

func (s *Shop) revokeUserSessions(w http.ResponseWriter, r *http.Request, admin auth.User) error {
	id, err := userID(r)
	if err != nil {
		return err
	}
	var account auth.Account
	b := &pgx.Batch{}
	auth.QueueAccount(b, id, &account)
	if err := s.db.SendBatch(r.Context(), b).Close(); err != nil {
		return err
	}
	switch account.ID {
	case 0:
		return errNotFound
	case admin.ID:
		_, err = s.sessions.EndOthers(r.Context(), byAdministrator(admin))
		if errors.Is(err, sessions.ErrNotFound) {
			return errNobody // ended a moment ago, and with it the right to do this
		}
	default:
		_, err = s.sessions.EndUser(r.Context(), id, byAdministrator(admin))
	}
	if err := s.acted(r, admin, "sessions revoked", id, err); err != nil {
		return err
	}
	return s.backToUser(w, r, id, noticeRevokedUser)
}

// revokeAll is for the day when somebody has copied the tickets: every session
// but this one ends, guests' too. It asks for the password, however fresh the
// sign-in (ASVS 5.0 V7.5.3).
func (s *Shop) revokeAll(w http.ResponseWriter, r *http.Request, admin auth.User) error {
	f, err := readForm(w, r)
	if err != nil {
		return err
	}
	_, err = s.verify(r, f)
	if refused, ok := errors.AsType[*refusedPassword](err); ok {
		return s.showAdmin(w, r, refused.answer(w), &AdminPage{Problem: refused.why})
	}
	if err != nil {
		return err
	}
	r, cancel := finishingWithin(r, patienceWithEverybody)
	defer cancel()
	ctx := r.Context()
	if err := s.sessions.Renew(w, r); err != nil {
		if errors.Is(err, sessions.ErrNotFound) {
			return errNobody // ended a moment ago, and with it the right to do this
		}
		return err
	}
	by := byAdministrator(admin)
	err = pgstore.Record(ctx, s.db, sessions.Event{At: s.now(), Kind: pgstore.AllRevoked, UserID: admin.ID, By: by})
	if err != nil {
		return err
	}
	n, err := s.sessions.EndEverybody(ctx, by)
	if err != nil {
		return err
	}
	s.log.WarnContext(ctx, "everybody's sessions revoked", "request", requestIDFrom(ctx), "administrator", admin.ID, "sessions", n)
	s.leaveNotice(w, noticeRevokedAll)
	http.Redirect(w, r, "/admin", http.StatusSeeOther)
	return nil
}

// acted logs what an administrator has done to a user, if it worked.
func (s *Shop) acted(r *http.Request, admin auth.User, what string, id int64, err error) error {
	if errors.Is(err, auth.ErrNoUser) {
		return errNotFound
	}
	if err == nil {
		s.log.InfoContext(r.Context(), what, "request", requestIDFrom(r.Context()), "administrator", admin.ID, "user", id)
	}
	return err
}

func (s *Shop) backToUser(w http.ResponseWriter, r *http.Request, id int64, n notice) error {
	s.leaveNotice(w, n)
	http.Redirect(w, r, fmt.Sprintf("/admin/users/%d", id), http.StatusSeeOther)
	return nil
}
