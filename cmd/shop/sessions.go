package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"
)

type sessionTools struct {
	List   sessionsList   `cmd:"" help:"List the sessions, the newest first."`
	Revoke sessionsRevoke `cmd:"" help:"End one session, a user's, or everybody's."`
	Sweep  sessionsSweep  `cmd:"" help:"Clear away what is over, as serve does each minute."`
}

type sessionsList struct {
	room
	User *string `placeholder:"EMAIL" help:"Only this user's."`
	JSON bool    `name:"json" help:"Write a JSON array."`
}

func (c *sessionsList) Run(ctx context.Context, t terminal) error {
	return c.operate(ctx, t, nil, func(o tools) error {
		list, err := c.find(ctx, o)
		if err != nil {
			return err
		}
		lines, err := describe(ctx, o, list)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(t.out, lines)
		}
		return writeSessions(t.out, lines)
	})
}

func (c *sessionsList) find(ctx context.Context, o tools) (list []sessions.Session, err error) {
	if c.User != nil {
		account, err := o.users.Find(ctx, *c.User)
		if err != nil {
			return nil, err
		}
		return o.store.ByUser(ctx, account.ID)
	}
	err = o.store.Each(ctx, func(s sessions.Session) error {
		list = append(list, s)
		return nil
	})
	slices.SortFunc(list, func(a, b sessions.Session) int {
		if byAge := b.CreatedAt.Compare(a.CreatedAt); byAge != 0 {
			return byAge
		}
		return strings.Compare(a.Handle, b.Handle)
	})
	return list, err
}

// sessionLine is a session as --json words it: null is a guest, or no cart.
type sessionLine struct {
	Handle    string    `json:"handle"`
	UserID    *int64    `json:"user_id"`
	Email     *string   `json:"email"`
	CartID    *int64    `json:"cart_id"`
	CreatedAt time.Time `json:"created_at"`
	IdleUntil time.Time `json:"idle_until"`
	Until     time.Time `json:"until"`
	Expired   bool      `json:"expired"` // not swept yet; it opens nothing
}

// describe looks up whose sessions these are.
func describe(ctx context.Context, o tools, list []sessions.Session) ([]sessionLine, error) {
	ids := []int64{}
	for _, s := range list {
		ids = append(ids, s.UserID)
	}
	emails, err := o.users.Emails(ctx, ids)
	if err != nil {
		return nil, err
	}
	lines := []sessionLine{} // an empty array, rather than null
	for _, s := range list {
		line := sessionLine{
			Handle: s.Handle, CreatedAt: s.CreatedAt, IdleUntil: s.IdleUntil, Until: s.Until,
			Expired: s.Expired(o.now) != sessions.TicketLive,
		}
		if s.UserID != 0 {
			line.UserID = &s.UserID
		}
		if email, found := emails[s.UserID]; found {
			line.Email = &email
		}
		if s.CartID != 0 {
			line.CartID = &s.CartID
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func writeSessions(w io.Writer, lines []sessionLine) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "HANDLE\tUSER\tCART\tMADE (UTC)\tIDLE UNTIL (UTC)\tENDS (UTC)")
	for _, line := range lines {
		user, cart, mark := "guest", "none", ""
		switch {
		case line.Email != nil:
			user = visible(*line.Email)
		case line.UserID != nil:
			user = fmt.Sprintf("user %d, who is gone", *line.UserID)
		}
		if line.CartID != nil {
			cart = fmt.Sprint(*line.CartID)
		}
		if line.Expired {
			mark = "\texpired"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s%s\n", line.Handle, user, cart,
			inTables(line.CreatedAt), inTables(line.IdleUntil), inTables(line.Until), mark)
	}
	return table.Flush()
}

// Flags of revoke are pointers: one that is given and empty, as by a script
// whose variable is not set, must not end more than was meant.
type sessionsRevoke struct {
	room
	User   *string `placeholder:"EMAIL" help:"Whose sessions are to end."`
	Handle *string `help:"Only the one of that user that has this handle."`
	All    bool    `help:"Everybody's, guests' too."`
	JSON   bool    `name:"json" help:"Write a JSON object."`
}

func (c *sessionsRevoke) Run(ctx context.Context, t terminal) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.operate(ctx, t, nil, func(o tools) error {
		n, err := c.revoke(ctx, o)
		if err != nil && n > 0 { // everybody's end in steps
			return fmt.Errorf("%s, and then: %w", ended(n), err)
		}
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(t.out, struct {
				Ended int `json:"ended"`
			}{n})
		}
		fmt.Fprintln(t.out, ended(n))
		return nil
	})
}

func (c *sessionsRevoke) check() error {
	switch {
	case c.All && (c.User != nil || c.Handle != nil):
		return settingError("--all", "it ends everybody's sessions, and goes with neither --user nor --handle")
	case !c.All && c.User == nil:
		return settingError("--user, --all", "there is neither; say whose sessions are to end")
	case c.User != nil && *c.User == "":
		return settingError("--user", "it is empty; it must be an e-mail address")
	case c.Handle != nil && *c.Handle == "":
		return settingError("--handle", "it is empty; leave it out to end all of the user's sessions")
	}
	return nil
}

func (c *sessionsRevoke) revoke(ctx context.Context, o tools) (int, error) {
	if c.All {
		err := pgstore.Record(ctx, o.Pool, sessions.Event{At: o.now, Kind: pgstore.AllRevoked, By: byOperator})
		if err != nil {
			return 0, err
		}
		return o.store.DeleteAll(ctx, sessions.Key{}, o.revocation())
	}
	account, err := o.users.Find(ctx, *c.User)
	if err != nil {
		return 0, err
	}
	if c.Handle == nil {
		return o.store.DeleteByUser(ctx, account.ID, sessions.Key{}, o.revocation())
	}
	err = o.store.DeleteHandle(ctx, account.ID, *c.Handle, o.revocation())
	if errors.Is(err, sessions.ErrNotFound) {
		return 0, fmt.Errorf("%s has no session with the handle %q", account.Email, *c.Handle)
	}
	if err != nil {
		return 0, err
	}
	return 1, nil
}

type sessionsSweep struct {
	room
	RecordFor time.Duration `env:"SHOP_RECORD_FOR" default:"2160h" help:"As for serve."`
}

func (c *sessionsSweep) Run(ctx context.Context, t terminal) error {
	if c.RecordFor <= 0 {
		return settingError("--record-for (SHOP_RECORD_FOR)", "%v; it must be longer than 0", c.RecordFor)
	}
	return c.operate(ctx, t, nil, func(o tools) error {
		over, err := o.store.Sweep(ctx, o.now)
		if err != nil {
			return err
		}
		failures, err := o.users.SweepFailures(ctx)
		if err != nil {
			return err
		}
		records, err := pgstore.TrimRecord(ctx, o.Pool, o.now.Add(-c.RecordFor))
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "sessions\t%d removed\nfailed sign-ins\t%d removed\nold records\t%d removed\n", over, failures, records)
		return table.Flush()
	})
}
