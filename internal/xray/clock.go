package xray

import (
	"fmt"
	"strings"
	"time"
)

// Clock is one of the two deadlines of a session, as a bar that empties.
type Clock struct {
	Name, Means string
	Seconds     int // left
	Whole       int // in seconds, when it is full
	Text        string
}

// Percent is how much of the bar is left.
func (c Clock) Percent() int {
	return min(100, 100*c.Seconds/max(1, c.Whole))
}

// Clocks are those of the session that the exchange has left behind.
func (p *Panel) Clocks() []Clock {
	if p.After == nil {
		return nil
	}
	return []Clock{
		clock("Idle", "Visiting a page starts it afresh; not each time, or every page would have to write into the store.", p.After.IdleUntil, p.After.Idle, p.Now),
		clock("Absolute", "Nothing starts it afresh.", p.After.Until, p.After.Until.Sub(p.After.CreatedAt), p.Now),
	}
}

func clock(name, means string, ends time.Time, whole time.Duration, now time.Time) Clock {
	left := max(0, ends.Sub(now).Truncate(time.Second))
	return Clock{
		Name: name, Means: means, Seconds: int(left.Seconds()), Whole: int(whole.Seconds()),
		Text: length(left) + " left of " + length(whole),
	}
}

// length words a duration by its two largest parts.
func length(d time.Duration) string {
	var parts []string
	rest := int(d.Seconds())
	for _, unit := range []struct {
		seconds int
		name    string
	}{{24 * 3600, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}} {
		if n := rest / unit.seconds; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
			rest %= unit.seconds
		} else if len(parts) > 0 {
			break
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts, " ")
}
