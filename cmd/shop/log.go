package main

import (
	"io"
	"log/slog"
)

// newLog writes lines of key=value, with times in UTC. Values are quoted
// where they need it, so that nobody can write a line of their own into it.
func newLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindTime {
				a.Value = slog.TimeValue(a.Value.Time().UTC())
			}
			return a
		},
	}))
}
