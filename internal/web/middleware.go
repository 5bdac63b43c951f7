package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"coatcheck/internal/sessions"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

type requestIDContextKey struct{}

// requestID gives each request a name that its log lines share. It is always
// ours: one that a client sent would put a stranger's text into the log.
func requestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), requestIDContextKey{}, rand.Text()[:10])
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func requestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDContextKey{}).(string)
	return id
}

// logRequest counts each request and writes one line about it. It leaves out
// the query, in which people's secrets tend to end up.
func (s *Shop) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(ww, r)
		route, took := chi.RouteContext(r.Context()).RoutePattern(), time.Since(start)
		s.metrics.Request(r.Method, route, ww.Status(), took)
		s.log.InfoContext(r.Context(), "request",
			"request", requestIDFrom(r.Context()),
			"method", r.Method,
			"path", r.URL.Path,
			"route", route,
			"status", ww.Status(),
			"bytes", ww.BytesWritten(),
			"took", took.Round(time.Microsecond),
			"address", middleware.GetClientIP(r.Context()))
	})
}

// recoverPanic turns a panic into the page for our own faults.
func (s *Shop) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p) // the server's own way to drop a connection
			default:
				s.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// securityHeaders tells the browser what these pages never do, so that it
// stops whoever makes them (ASVS 5.0 V3.4).
func (s *Shop) securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		// A page is for the one who asked, now: not for a cache, nor for
		// whoever presses "back" after the sign-out. Assets say otherwise.
		h.Set("Cache-Control", "no-store")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// traceSessions counts the lives of sessions, and logs them by their handles.
func (s *Shop) traceSessions(next http.Handler) http.Handler {
	counting, logging := s.metrics.Trace(), s.logSessions()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := sessions.WithTrace(r.Context(), counting)
		next.ServeHTTP(w, r.WithContext(sessions.WithTrace(ctx, logging)))
	})
}

func (s *Shop) logSessions() *sessions.Trace {
	info := func(ctx context.Context, message string, about ...any) {
		s.log.InfoContext(ctx, message, append([]any{"request", requestIDFrom(ctx)}, about...)...)
	}
	return &sessions.Trace{
		Ticket: func(ctx context.Context, t sessions.Ticket, _ sessions.Session) {
			if t == sessions.TicketMalformed || t == sessions.TicketRepeated {
				s.log.WarnContext(ctx, "ticket refused", "request", requestIDFrom(ctx), "why", t.String())
			}
		},
		Began: func(ctx context.Context, made sessions.Session) {
			info(ctx, "session began", "session", made.Handle, "user", made.UserID, "cart", made.CartID)
		},
		Moved: func(ctx context.Context, from, to sessions.Session) {
			info(ctx, "session moved", "from", from.Handle, "session", to.Handle, "user", to.UserID, "cart", to.CartID)
		},
		Ended: func(ctx context.Context, e sessions.Event, n int) {
			info(ctx, "session ended", "session", e.Session, "user", e.UserID, "why", string(e.Kind), "by", e.By, "ended", n)
		},
	}
}

// xrayed lets the X-ray listen, in demo mode.
func (s *Shop) xrayed(next http.Handler) http.Handler {
	if s.xray == nil {
		return next
	}
	return s.xray.Middleware(next)
}

// clientAddress is what the sign-in throttle counts by: an IPv4 address, or
// the /64 network of an IPv6 one, all of which is usually one household.
func clientAddress(r *http.Request) string {
	address := middleware.GetClientIPAddr(r.Context())
	if address.Is6() {
		network, err := address.WithZone("").Prefix(64)
		if err == nil {
			return network.String()
		}
	}
	if !address.IsValid() {
		return netip.IPv4Unspecified().String() // a broken proxy's clients share one count
	}
	return address.String()
}
