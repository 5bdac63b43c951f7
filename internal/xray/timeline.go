package xray

import (
	"time"

	"coatcheck/internal/sessions"
)

// Timeline is the life of a session, from the first of those that it has taken
// the place of to its end.
type Timeline struct{}

// NewTimeline draws it from what is on record, and from what this server
// remembers.
func NewTimeline(events []sessions.Event, s sessions.Session, exchanges []*Exchange, now time.Time) *Timeline {
	return &Timeline{}
}
