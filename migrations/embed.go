// Package migrations holds the database schema as a series of goose
// migrations, read in the order of their numbers.
package migrations

import "embed"

// Files holds every migration.
//
//go:embed *.sql
var Files embed.FS
