package xray

import "time"

// Panel is an exchange as a page shows it, at a time.
type Panel struct {
	*Exchange
	Now time.Time
}

// NewPanel prepares an exchange to be shown at now.
func NewPanel(e *Exchange, now time.Time) *Panel { return &Panel{e, now} }
