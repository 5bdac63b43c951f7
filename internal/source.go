// Package internal holds the shop's own source code, for the pages that show
// it. It stands here because a package can embed only what lies below it.
package internal

import "embed"

// Source is the Go code of these packages, their tests among it, by its path
// below internal/.
//
//go:embed sessions auth cart orders xray story view web e2e postgres/pgtest
var Source embed.FS
