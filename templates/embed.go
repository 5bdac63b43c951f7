// Package templates holds the pages of the shop: layout.html, which every
// page fills, and one file a page.
package templates

import "embed"

// Files holds every template.
//
//go:embed *.html
var Files embed.FS
