package story

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// World is where a story is played: one server or two, on one database.
type World struct {
	Servers []Place
	// Restart replaces the first server by a new one. It is nil where that
	// cannot be done, because the servers are somebody else's.
	Restart func(context.Context) error
}

// Place is a server and the way to it.
type Place struct {
	Name string
	URL  string // without a slash at the end
	Way  http.RoundTripper
}

// Handler is the way to a server in this process: requests go to it without a
// network in between.
type Handler struct{ http.Handler }

// RoundTrip asks the handler, and gives its answer when that is whole.
func (h Handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	asked := r.Clone(Bare(r.Context()))
	asked.RequestURI, asked.Host = r.URL.RequestURI(), r.URL.Host
	asked.RemoteAddr = "127.0.0.1:1" // a visitor from this machine
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	a := &answered{header: http.Header{}}
	h.ServeHTTP(a, asked)
	a.WriteHeader(http.StatusOK) // if nothing was written
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()),
		Request: r,
	}, nil
}

// answered collects what a handler writes.
type answered struct {
	header, sent http.Header
	status       int // 0 while nothing is sent
	body         bytes.Buffer
}

func (a *answered) Header() http.Header { return a.header }

func (a *answered) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status, a.sent = status, a.header.Clone()
	}
}

func (a *answered) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// Bare is ctx without what it carries, as if a network were in between: what
// is asked on a stage is no part of the request that has had it raised.
func Bare(ctx context.Context) context.Context { return bare{ctx} }

type bare struct{ context.Context }

func (bare) Value(any) any { return nil }
