package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A sample has a value a round.
type sample []float64

func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// over divides round by round: what disturbs a round disturbs both.
func (s sample) over(t sample) (ratios sample) {
	for i := range s {
		ratios = append(ratios, s[i]/t[i])
	}
	return ratios
}

// String is the median, and the least and the greatest.
func (s sample) format(verb string) string {
	if len(s) == 0 {
		return "–"
	}
	return fmt.Sprintf(verb+" ("+verb+"–"+verb+")", s.median(), slices.Min(s), slices.Max(s))
}

func (s sample) only(verb string) string {
	if len(s) == 0 {
		return "–"
	}
	return fmt.Sprintf(verb, s.median())
}

// table is Markdown, wide enough to be read as it is.
func table(results []*result) string {
	cells := [][]string{
		{results[0].scenario.name, "requests/s", "÷ scs", "p50 ms", "p99 ms", "statements", "rows", "WAL B", "CPU µs", "Postgres µs", "in place"},
	}
	for _, r := range results {
		shop, db := sample(nil), sample(nil)
		if hasCPU {
			shop, db = r.shopCPU, r.postgresCPU
		}
		hot := "–"
		if r.rows.median() >= 0.01 {
			hot = fmt.Sprintf("%.0f %%", 100*r.hot.median())
		}
		cells = append(cells, []string{
			r.contestant.name, r.rate.format("%.0f"), r.againstSCS.format("%.2f"), r.p50.only("%.2f"), r.p99.format("%.1f"),
			fmt.Sprintf("%.2f", r.statements), r.rows.only("%.2f"), r.wal.only("%.0f"), shop.only("%.0f"), db.only("%.0f"), hot,
		})
	}
	width := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	for n, row := range cells {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			if i == 0 {
				b.WriteString("| " + cell + pad)
			} else {
				b.WriteString(" | " + pad + cell)
			}
		}
		b.WriteString(" |\n")
		if n == 0 {
			for i, w := range width {
				if i == 0 {
					b.WriteString("|" + strings.Repeat("-", w+2))
				} else {
					b.WriteString("|" + strings.Repeat("-", w+1) + ":")
				}
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// report writes the chart and the document, where they are asked for.
func report(results []*result, machine string) error {
	if *chart != "" {
		if err := os.WriteFile(*chart, []byte(draw(results)), 0o644); err != nil {
			return err
		}
		fmt.Println("the chart is", *chart)
	}
	if *update == "" {
		return nil
	}
	text, err := os.ReadFile(*update)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), startMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks %q and %q", *update, startMark, endMark)
	}
	var b strings.Builder
	b.WriteString(before + startMark + "\n\nOn " + machine + ":\n")
	for _, rs := range byScenario(results) {
		b.WriteString("\n" + table(rs))
	}
	b.WriteString("\n" + endMark + after)
	return os.WriteFile(*update, []byte(b.String()), 0o644)
}

const startMark, endMark = "<!-- made by make bench -->", "<!-- up to here -->"

func byScenario(results []*result) (groups [][]*result) {
	for i, r := range results {
		if i == 0 || results[i-1].scenario != r.scenario {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], r)
	}
	return groups
}
