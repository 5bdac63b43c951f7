package metrics

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// Watch adds what is asked for at each scrape: the pool's figures, and how
// many sessions are live. A count that fails, or takes longer than two
// seconds, is left out.
func (m *Metrics) Watch(pool *pgxpool.Pool, live func(context.Context) (int, error)) {
	m.registry.MustRegister(&watch{pool, live})
}

type watch struct {
	pool *pgxpool.Pool
	live func(context.Context) (int, error)
}

var (
	liveSessions = desc("shop_sessions_live", "Sessions that count now.")
	poolMost     = desc("shop_db_connections_most", "Connections that the pool may open.")
	poolOpen     = desc("shop_db_connections_open", "Connections that are open.")
	poolInUse    = desc("shop_db_connections_in_use", "Connections that are in use.")
	poolAcquired = desc("shop_db_acquired_total", "Times that a connection was taken from the pool.")
	poolWaited   = desc("shop_db_waited_total", "Times that one had to be waited for.")
	poolSeconds  = desc("shop_db_acquire_seconds_total", "Time spent on taking connections from the pool.")
)

func desc(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// Describe is a collector's part.
func (w *watch) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{liveSessions, poolMost, poolOpen, poolInUse, poolAcquired, poolWaited, poolSeconds} {
		to <- d
	}
}

// Collect is a collector's part.
func (w *watch) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	counter := func(d *prometheus.Desc, v float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	stat := w.pool.Stat()
	gauge(poolMost, float64(stat.MaxConns()))
	gauge(poolOpen, float64(stat.TotalConns()))
	gauge(poolInUse, float64(stat.AcquiredConns()))
	counter(poolAcquired, float64(stat.AcquireCount()))
	counter(poolWaited, float64(stat.EmptyAcquireCount()))
	counter(poolSeconds, stat.AcquireDuration().Seconds())

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if n, err := w.live(ctx); err == nil {
		gauge(liveSessions, float64(n))
	}
}
