package main

import (
	"fmt"
	"runtime/debug"
)

type version struct{}

// Run prints what the Go tool noted down when it built the program.
func (version) Run(t terminal) error {
	revision, changed := "unknown revision", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = ", changed"
			}
		}
		fmt.Fprintf(t.out, "shop %s (%s%s), %s\n", info.Main.Version, revision, changed, info.GoVersion)
	}
	return nil
}
