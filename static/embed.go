// Package static holds the style sheet and the pictures, all drawn for this
// shop.
package static

import "embed"

// Files holds every asset.
//
//go:embed *.css *.svg products
var Files embed.FS
