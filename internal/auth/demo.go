package auth

import (
	"context"
	"errors"
	"fmt"
)

// The accounts of a demonstration. Their passwords are public, so they exist
// only in a database that was seeded.
var demo = []struct {
	name, email, password string
	role                  Role
}{
	{"Alice", "alice@example.com", "coat-check-alice", Customer},
	{"Bob", "bob@example.com", "coat-check-bob", Customer},
	{"Admin", "admin@example.com", "coat-check-admin", Administrator},
}

// SeedDemo makes the accounts of a demonstration. Those that are there
// already stay as they are.
func (u *Users) SeedDemo(ctx context.Context) error {
	for _, d := range demo {
		found, _, err := u.find(ctx, d.email)
		if err != nil {
			return err
		}
		if found.ID != 0 {
			continue
		}
		id, err := u.Add(ctx, d.name, d.email, d.password)
		if errors.Is(err, ErrTaken) { // another server has just made it
			continue
		}
		if err != nil {
			return fmt.Errorf("seed %s: %w", d.email, err)
		}
		if err := u.SetRole(ctx, id, d.role, nil); err != nil {
			return err
		}
	}
	return nil
}
