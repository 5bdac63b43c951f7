package e2e_test

import (
	"strings"
	"testing"

	"coatcheck/internal/e2e/process"
	"coatcheck/internal/postgres/pgtest"
)

// ASVS 16.2.2: wherever the server stands, its log is in UTC.
func TestLogIsInUTC(t *testing.T) {
	t.Parallel()
	shop := process.Open(t, "DATABASE_URL="+pgtest.URL(t), "TZ=Asia/Kathmandu")
	visit(t, shop).get("/nowhere")
	shop.WaitFor("path=/nowhere")
	for line := range strings.Lines(shop.Output()) {
		if stamp, isLog := strings.CutPrefix(line, "time="); isLog {
			if stamp, _, _ = strings.Cut(stamp, " "); !strings.HasSuffix(stamp, "Z") {
				t.Errorf("this line is not in UTC: %s", line)
			}
		}
	}
}
