// Package metrics counts what the shop does, for Prometheus. It listens to
// sessions by their trace; handlers tell it of sign-ins alone.
//
// Labels take few values: the kind of an end, the pattern of a route. What a
// visitor can choose freely, such as an address or a path, is never one.
package metrics

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"coatcheck/internal/sessions"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is safe for concurrent use. It counts whether or not anybody asks.
type Metrics struct {
	registry *prometheus.Registry

	made, moved                            prometheus.Counter
	ended, refused, storeFailures, signIns *prometheus.CounterVec
	requests                               *prometheus.CounterVec
	storeSeconds, requestSeconds           *prometheus.HistogramVec
}

// New starts all counts at zero.
func New() *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	seconds := func(name, help string, buckets []float64, label string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, []string{label})
	}
	m := &Metrics{
		registry:       prometheus.NewRegistry(),
		made:           counter("shop_sessions_made_total", "Sessions that began without an earlier one."),
		moved:          counter("shop_sessions_moved_total", "Sessions that took the place of an earlier one: sign-ins, and passwords given again."),
		ended:          counters("shop_sessions_ended_total", "Sessions that ended; swept ones had timed out, and nobody came back for them.", "cause"),
		refused:        counters("shop_tickets_refused_total", "Tickets that opened nothing.", "why"),
		storeSeconds:   seconds("shop_session_store_seconds", "Time for a call on the session store; load is the look-up.", prometheus.ExponentialBuckets(0.0001, 2, 14), "call"),
		storeFailures:  counters("shop_session_store_failures_total", "Calls on the session store that could not do their work.", "call"),
		signIns:        counters("shop_sign_ins_total", "Sign-ins, by what came of them.", "result"),
		requests:       counters("shop_http_requests_total", "Requests answered.", "method", "route", "code"),
		requestSeconds: seconds("shop_http_request_seconds", "Time to answer a request.", prometheus.ExponentialBuckets(0.0005, 2, 14), "route"),
	}
	m.registry.MustRegister(m.made, m.moved, m.ended, m.refused, m.storeSeconds, m.storeFailures,
		m.signIns, m.requests, m.requestSeconds,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all figures. They are for the operator: serve it where
// visitors do not come.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Trace counts the lives of sessions. One serves all requests.
func (m *Metrics) Trace() *sessions.Trace {
	return &sessions.Trace{
		Ticket: func(_ context.Context, t sessions.Ticket, _ sessions.Session) {
			switch t {
			case sessions.TicketMalformed, sessions.TicketRepeated, sessions.TicketUnknown:
				m.refused.WithLabelValues(t.String()).Inc()
			}
		},
		Store: func(_ context.Context, call string, took time.Duration, err error) {
			m.storeSeconds.WithLabelValues(call).Observe(took.Seconds())
			if err != nil && !errors.Is(err, sessions.ErrNotFound) {
				m.storeFailures.WithLabelValues(call).Inc()
			}
		},
		Began: func(context.Context, sessions.Session) { m.made.Inc() },
		Moved: func(_ context.Context, _, _ sessions.Session) { m.moved.Inc() },
		Ended: func(_ context.Context, e sessions.Event, n int) {
			m.ended.WithLabelValues(string(e.Kind)).Add(float64(n))
		},
	}
}

// Swept counts sessions that a sweep has removed.
func (m *Metrics) Swept(n int) { m.ended.WithLabelValues("swept").Add(float64(n)) }

// SignIn counts an attempt to sign in.
func (m *Metrics) SignIn(result string) { m.signIns.WithLabelValues(result).Inc() }

// Request counts an answer. The route is the pattern that the address fits, or
// empty if it fits none.
func (m *Metrics) Request(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.requestSeconds.WithLabelValues(route).Observe(took.Seconds())
}
