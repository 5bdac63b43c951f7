package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"coatcheck/internal/sessions"
	"coatcheck/internal/visitors"

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
		s.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
			slog.String("request", requestIDFrom(r.Context())),
			slog.String("method", r.Method),
			slog.String("path", r.URL.Path),
			slog.String("route", route),
			slog.Int("status", ww.Status()),
			slog.Int("bytes", ww.BytesWritten()),
			slog.Duration("took", took.Round(time.Microsecond)),
			slog.String("address", middleware.GetClientIP(r.Context())))
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
	always := http.Header{
		"Content-Security-Policy":      {"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"same-origin"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		// A page is for the one who asked, now: not for a cache, nor for
		// whoever presses "back" after the sign-out. Assets say otherwise.
		"Cache-Control": {"no-store"},
	}
	if s.secure {
		always.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), always) // no header is added to, only replaced
		next.ServeHTTP(w, r)
	})
}

// aroundSessions prepares for the look-up of the session: it listens, to count
// the lives of sessions and to log them by their handles, and makes room for the
// visitor whom a page's look-up brings along. (Where a cart is changed, what was
// in it when the request came is out of date.)
func (s *Shop) aroundSessions(next http.Handler) http.Handler {
	counting, logging := s.metrics.Trace(), s.logSessions()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := sessions.WithTrace(r.Context(), counting, logging)
		if r.Method == http.MethodGet {
			ctx = visitors.WithLuggage(ctx)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
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
