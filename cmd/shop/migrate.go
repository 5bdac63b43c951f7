package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"coatcheck/internal/postgres"
)

type migrate struct {
	Up     migrateUp     `cmd:"" help:"Apply what is pending."`
	Down   migrateDown   `cmd:"" help:"Undo the newest migration, with the data in it."`
	Status migrateStatus `cmd:"" help:"List the migrations."`
}

type (
	migrateUp     struct{ database }
	migrateDown   struct{ database }
	migrateStatus struct{ database }
)

func (c *migrateUp) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, t, func(db *opened) error {
		n, err := postgres.Migrate(ctx, db.Pool)
		if err == nil {
			fmt.Fprintf(t.out, "%d applied\n", n)
		}
		return err
	})
}

func (c *migrateDown) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, t, func(db *opened) error {
		undone, err := postgres.MigrateDown(ctx, db.Pool)
		if err != nil {
			return err
		}
		if undone == 0 {
			fmt.Fprintln(t.out, "nothing to undo")
			return nil
		}
		fmt.Fprintf(t.out, "undone: %d\n", undone)
		return nil
	})
}

func (c *migrateStatus) Run(ctx context.Context, t terminal) error {
	return c.with(ctx, t, func(db *opened) error {
		list, err := postgres.Status(ctx, db.Pool)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		for _, m := range list {
			applied := "pending"
			if !m.AppliedAt.IsZero() {
				applied = m.AppliedAt.UTC().Format("2006-01-02 15:04:05 UTC")
			}
			fmt.Fprintf(table, "%s\t%s\n", m.Name, applied)
		}
		return table.Flush()
	})
}
