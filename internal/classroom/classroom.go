// Package classroom is the pages that teach: the story, played on a page, and
// what there is to learn from it. They stand on the shop, which knows nothing
// of them.
package classroom

import (
	"context"
	"net/http"

	"coatcheck/internal/story"
	"coatcheck/internal/view"
)

// Config is what the classroom is made of.
type Config struct {
	// Play plays Alice's story somewhere that is thrown away afterwards. Its
	// error is ErrNoStage if there is no such place.
	Play func(context.Context) (*story.Transcript, error)
}

// Places are its pages.
func Places(c Config) []view.Place {
	h := &playhouse{play: c.Play}
	return []view.Place{
		{Method: http.MethodGet, Pattern: "/learn", Show: learn},
		{Method: http.MethodGet, Pattern: "/learn/{id}", Show: learnClaim},
		{Method: http.MethodGet, Pattern: "/learn/code", Show: guide},
		{Method: http.MethodGet, Pattern: "/learn/code/*", Show: guideFile},
		{Method: http.MethodGet, Pattern: "/story", Show: h.told},
		{Method: http.MethodPost, Pattern: "/story", Show: h.perform, Slow: true},
		{Method: http.MethodGet, Pattern: "/story/{number}", Show: h.played},
		{Method: http.MethodGet, Pattern: "/story/{number}/{step}", Show: h.playedStep},
	}
}
