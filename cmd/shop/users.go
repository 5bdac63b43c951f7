package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"coatcheck/internal/auth"
	"coatcheck/internal/sessions"
	"coatcheck/internal/sessions/pgstore"

	"github.com/jackc/pgx/v5"
)

type userTools struct {
	List    usersList    `cmd:"" help:"List the users, by name."`
	Add     usersAdd     `cmd:"" help:"Open an account. The password is asked for, or read from standard input."`
	Disable usersDisable `cmd:"" help:"Keep a user from signing in, and end their sessions."`
	Enable  usersEnable  `cmd:"" help:"Let a disabled user sign in again."`
	Role    usersRole    `cmd:"" help:"Give a user another role, which counts at the next request."`
}

type usersList struct {
	room
	Search string `placeholder:"TEXT" help:"Only those with this in their name or e-mail address."`
	JSON   bool   `name:"json" help:"Write a JSON array."`
}

func (c *usersList) Run(ctx context.Context, t terminal) error {
	return c.operate(ctx, t, nil, func(o tools) error {
		var accounts []auth.Account
		b := &pgx.Batch{}
		auth.QueueAccounts(b, c.Search, math.MaxInt32, &accounts)
		if err := o.SendBatch(ctx, b).Close(); err != nil {
			return fmt.Errorf("list users: %w", err)
		}
		if c.JSON {
			return writeJSON(t.out, userLines(accounts))
		}
		return writeUsers(t.out, accounts)
	})
}

// userLine is a user as --json words it.
type userLine struct {
	ID        int64     `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      auth.Role `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	Disabled  bool      `json:"disabled"`
}

func userLines(accounts []auth.Account) []userLine {
	lines := []userLine{} // an empty array, rather than null
	for _, a := range accounts {
		lines = append(lines, userLine{a.ID, a.Email, a.Name, a.Role, a.CreatedAt, a.Disabled})
	}
	return lines
}

func writeUsers(w io.Writer, accounts []auth.Account) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tE-MAIL\tNAME\tROLE\tSINCE (UTC)")
	for _, a := range accounts {
		mark := ""
		if a.Disabled {
			mark = "\tdisabled"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s%s\n", a.ID, visible(a.Email), visible(a.Name), a.Role, inTables(a.CreatedAt), mark)
	}
	return table.Flush()
}

type usersAdd struct {
	room
	PepperFile string    `env:"SHOP_PEPPER_FILE" type:"path" help:"As for serve."`
	Name       string    `required:"" help:"What the shop calls the user."`
	Role       auth.Role `enum:"customer,administrator" default:"customer" help:"One of customer, administrator."`
	Email      string    `arg:"" help:"The user's e-mail address."`

	// These are here to be refused without being repeated.
	Password *string  `hidden:""`
	Surplus  []string `arg:"" optional:"" help:"Nothing: a password does not belong here, and is refused."`
}

func (c *usersAdd) Run(ctx context.Context, t terminal) error {
	if c.Password != nil || len(c.Surplus) > 0 {
		return settingError("users add", "there is more than an e-mail address; if it is the password, everybody on this machine can read it in the list of processes: it is asked for, or read from standard input")
	}
	pepper, err := readPepper(c.PepperFile)
	if err != nil {
		return err
	}
	return c.operate(ctx, t, pepper, func(o tools) error {
		// Add finds that out, too, but only once the password was typed.
		if _, err := o.users.Find(ctx, c.Email); err == nil {
			return fmt.Errorf("%s: %w", c.Email, auth.ErrTaken)
		} else if !errors.Is(err, auth.ErrNoUser) {
			return err
		}
		password, err := readPassword(ctx, t)
		if err != nil {
			return err
		}
		id, err := o.users.Add(ctx, c.Name, c.Email, password)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Email, byField(err))
		}
		if c.Role != auth.Customer {
			if err := o.users.SetRole(ctx, id, c.Role, o.onRecord(pgstore.RoleChanged, id)); err != nil {
				return fmt.Errorf("%s has an account, but no role: %w", c.Email, err)
			}
		}
		fmt.Fprintf(t.out, "%s has an account, as %s\n", c.Email, c.Role)
		return nil
	})
}

// byField words what is wrong with an account, a line a field.
func byField(err error) error {
	invalid, ok := errors.AsType[*auth.InvalidError](err)
	if !ok {
		return err
	}
	var text strings.Builder
	for _, field := range []struct{ name, problem string }{
		{"name", invalid.Name}, {"e-mail", invalid.Email}, {"password", invalid.Password},
	} {
		if field.problem != "" {
			fmt.Fprintf(&text, "\n  %s: %s", field.name, field.problem)
		}
	}
	return errors.New("no account was opened" + text.String())
}

type usersDisable struct {
	room
	Email string `arg:"" help:"The user's e-mail address."`
}

// Run keeps a user from signing in, and then ends their sessions: a sign-in
// that is under way finds out the one, or meets the other.
func (c *usersDisable) Run(ctx context.Context, t terminal) error {
	return c.operate(ctx, t, nil, func(o tools) error {
		account, err := o.users.Find(ctx, c.Email)
		if err != nil {
			return err
		}
		if err := o.users.Disable(ctx, account.ID, o.onRecord(pgstore.Disabled, account.ID)); err != nil {
			return err
		}
		n, err := o.store.DeleteByUser(ctx, account.ID, sessions.Key{}, o.revocation())
		if err != nil {
			return fmt.Errorf("%s is disabled, but may still be signed in: %w", account.Email, err)
		}
		fmt.Fprintf(t.out, "%s is disabled; %s\n", account.Email, ended(n))
		return nil
	})
}

type usersEnable struct {
	room
	Email string `arg:"" help:"The user's e-mail address."`
}

func (c *usersEnable) Run(ctx context.Context, t terminal) error {
	return c.operate(ctx, t, nil, func(o tools) error {
		account, err := o.users.Find(ctx, c.Email)
		if err != nil {
			return err
		}
		if err := o.users.Enable(ctx, account.ID, o.onRecord(pgstore.Enabled, account.ID)); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s is enabled\n", account.Email)
		return nil
	})
}

type usersRole struct {
	room
	Email string    `arg:"" help:"The user's e-mail address."`
	Role  auth.Role `arg:"" enum:"customer,administrator" help:"One of customer, administrator."`
}

func (c *usersRole) Run(ctx context.Context, t terminal) error {
	return c.operate(ctx, t, nil, func(o tools) error {
		account, err := o.users.Find(ctx, c.Email)
		if err != nil {
			return err
		}
		if err := o.users.SetRole(ctx, account.ID, c.Role, o.onRecord(pgstore.RoleChanged, account.ID)); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%s is %s now, and was %s\n", account.Email, c.Role, account.Role)
		return nil
	})
}
