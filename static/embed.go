// Package static holds the style sheet, the pictures, all drawn for this shop,
// and the one script.
package static

import "embed"

// Files holds every asset.
//
//go:embed *.css *.js *.svg products
var Files embed.FS
