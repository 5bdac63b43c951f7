package main

import (
	"context"
	"fmt"

	"coatcheck/internal/auth"
	"coatcheck/internal/catalog"
	"coatcheck/internal/postgres"

	"github.com/jackc/pgx/v5/pgxpool"
)

type seed struct {
	database
	PepperFile string `env:"SHOP_PEPPER_FILE" type:"path" help:"As for serve."`
}

// Run fills a database the way demo mode does.
func (c *seed) Run(ctx context.Context, t terminal) error {
	pepper, err := readPepper(c.PepperFile)
	if err != nil {
		return err
	}
	return c.with(ctx, t, func(db *opened) error {
		if _, err := postgres.Migrate(ctx, db.Pool); err != nil {
			return err
		}
		users, err := auth.New(auth.Config{DB: db.Pool, Pepper: pepper})
		if err != nil {
			return err
		}
		if err := seedDemo(ctx, db.Pool, users); err != nil {
			return err
		}
		fmt.Fprintln(t.out, "The products hang on the rail, and the demo accounts are made.")
		return nil
	})
}

// seedDemo fills the shop for a demonstration. What is there already stays.
func seedDemo(ctx context.Context, db *pgxpool.Pool, users *auth.Users) error {
	if err := catalog.Seed(ctx, db); err != nil {
		return err
	}
	return users.SeedDemo(ctx)
}
