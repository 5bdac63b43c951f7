package main

import (
	"fmt"
	"slices"
	"strings"
)

// draw makes a bar chart of the requests a second, as SVG: a group a scenario, a
// bar a contestant, with a line from the slowest round to the quickest.
func draw(results []*result) string {
	const (
		left, right  = 120, 230 // for the names, and for the figures
		width        = 460      // of the longest bar
		bar, heading = 20, 34
	)
	most := 0.0
	for _, r := range results {
		if r.scenario.rate == 0 {
			most = max(most, slices.Max(r.rate))
		}
	}
	var b strings.Builder
	y := 8
	for _, group := range byScenario(results) {
		if group[0].scenario.rate > 0 {
			continue // as many as it is told
		}
		fmt.Fprintf(&b, "<text class=\"heading\" x=\"8\" y=\"%d\">%s</text>\n", y+22, group[0].scenario.name)
		y += heading
		for _, r := range group {
			class := "other"
			switch r.contestant {
			case theShop:
				class = "shop"
			case oneSelect, fixedBytes:
				class = "limit"
			}
			length := func(rate float64) float64 { return rate / most * width }
			fmt.Fprintf(&b, "<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>\n", left-8, y+15, r.contestant.name)
			fmt.Fprintf(&b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", class, left, y+2, length(r.rate.median()), bar-4)
			fmt.Fprintf(&b, "<path d=\"M%.1f %dH%.1f\"/>\n", left+length(slices.Min(r.rate)), y+bar/2, left+length(slices.Max(r.rate)))
			fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%d\">%.0f a second · %.1f × scs</text>\n", left+length(slices.Max(r.rate))+8, y+15, r.rate.median(), r.againstSCS.median())
			y += bar
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img" aria-label="Requests a second, by what was asked for and by who answered">
<style>
svg { background: #fffdf7 }
text { font: 13px system-ui, sans-serif; fill: #241a12 }
.heading { font-weight: 700; font-size: 15px }
.name { text-anchor: end }
.shop { fill: #14352a }
.other { fill: #b08d3f }
.limit { fill: #cfc6b4 }
path { stroke: #b3261e; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
svg { background: #16120e }
text { fill: #f3ead9 }
.shop { fill: #6fae93 }
.other { fill: #b08d3f }
.limit { fill: #574d40 }
path { stroke: #ff8a80 }
}
</style>
%[3]s</svg>
`, left+width+right, y+10, b.String())
}
