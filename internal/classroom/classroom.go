// Package classroom is the pages that teach: the story, played on a page, and
// what there is to learn from it. They stand on the shop, which knows nothing
// of them.
package classroom

import (
	"net/http"

	"coatcheck/internal/view"
)

// Config is what the classroom is made of.
type Config struct{}

// Places are its pages.
func Places(c Config) []view.Place {
	return []view.Place{
		{Method: http.MethodGet, Pattern: "/learn", Show: learn},
		{Method: http.MethodGet, Pattern: "/learn/{id}", Show: learnClaim},
		{Method: http.MethodGet, Pattern: "/learn/code", Show: guide},
		{Method: http.MethodGet, Pattern: "/learn/code/*", Show: guideFile},
	}
}
