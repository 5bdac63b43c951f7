package xray

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"coatcheck/internal/sessions"
)

// Recorder listens to requests and remembers the last exchanges, in memory:
// another server, or this one after a restart, knows nothing of them.
type Recorder struct {
	Policy func(sessions.Session) sessions.Policy // that a session was made under
	Now    func() time.Time
	Secure bool // browsers speak HTTPS to the shop
	// InTable says that sessions live in Postgres, where each is a row.
	InTable bool

	mu     sync.Mutex
	number int // of the last exchange
	ring   [remembered]*Exchange
	left   map[string]*Exchange // by what was left behind for whom
}

const (
	remembered = 200 // exchanges of all sessions together
	recent     = 10  // of one session
)

// Header is what a client sends, with any value, to get the X-ray of its own
// exchange, and what it gets it in. [Decode] reads that.
const Header = "Xray"

// Middleware records each request. It comes before that of the sessions.
func (rec *Recorder) Middleware(next http.Handler) http.Handler {
	trace := rec.trace()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec.mu.Lock()
		rec.number++
		number := rec.number
		rec.mu.Unlock()
		recording := &Recording{
			recorder: rec,
			start:    time.Now(),
			header:   w.Header(),
			seen: Exchange{
				Number: number, At: rec.Now().UTC(),
				Method: cut(r.Method), Path: cutPath(r.URL.Path),
				Ticket:  rec.ticketOf(r),
				InTable: rec.InTable,
				Room:    make([]Visit, 0, 4), // enough for most
			},
		}
		rec.take(recording, w, r)
		ctx := context.WithValue(r.Context(), recordingContextKey{}, recording)
		ctx = sessions.WithTrace(ctx, trace)
		next.ServeHTTP(&writer{ResponseWriter: w, recording: recording, wanted: r.Header.Get(Header) != ""}, r.WithContext(ctx))
	})
}

// writer knows when the answer is ready: nothing that matters comes after.
type writer struct {
	http.ResponseWriter
	recording *Recording
	wanted    bool
	ready     bool
}

func (w *writer) WriteHeader(status int) {
	if !w.ready && status >= http.StatusOK {
		w.ready = true
		w.recording.finish(w.ResponseWriter, status, w.wanted)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	if !w.ready {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (r *Recording) finish(w http.ResponseWriter, status int, wanted bool) {
	e := r.Exchange()
	e.Status = status
	rec := r.recorder
	if e.Found != nil && e.After == nil && status == http.StatusSeeOther {
		rec.leave(w, e)
		e.Cookies = r.cookies()
	}
	if wanted {
		w.Header().Set(Header, encode(e))
	}
	if strings.HasPrefix(e.Path, "/xray") {
		return // who looks at X-rays wants to see the others
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.ring[e.Number%remembered] = e
}

// Recent lists the last exchanges of a session and of those that it has taken
// the place of, the newest first: a guest's, and the same user's. What another
// user did, who had not signed out, is theirs.
func (rec *Recorder) Recent(handle string) (list Exchanges) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	for n := rec.number; n > max(0, rec.number-remembered) && len(list) < recent; n-- {
		e := rec.ring[n%remembered]
		if e == nil || e.Number != n || e.After == nil || e.After.Handle != handle {
			continue
		}
		list = append(list, e)
		if e.Change == Moved {
			if e.Found.UserID != 0 && e.Found.UserID != e.After.UserID {
				break
			}
			handle = e.Found.Handle
		}
	}
	return list
}

// An exchange that ends a session is mostly answered with a redirect, and the
// page after that has no session to find it by. So it is left behind for that
// page, by a cookie that is good once, for a minute, and for nothing else.

func (rec *Recorder) leave(w http.ResponseWriter, e *Exchange) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.left == nil || len(rec.left) >= remembered {
		rec.left = map[string]*Exchange{} // nobody came for them
	}
	ticket := rand.Text()
	rec.left[ticket] = e
	rec.setCookie(w, ticket, 60)
}

func (rec *Recorder) take(r *Recording, w http.ResponseWriter, request *http.Request) {
	sent := request.CookiesNamed(rec.prefix() + "xray")
	if len(sent) == 0 || request.Method != http.MethodGet {
		return
	}
	rec.setCookie(w, "", -1)
	if len(sent) > 1 {
		return // somebody planted one, so none counts
	}
	ticket := sent[0].Value
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if e := rec.left[ticket]; e != nil && rec.Now().Sub(e.At) < time.Minute {
		r.previous = e
	}
	delete(rec.left, ticket)
}

// prefix is what the shop's cookies have before their names: over HTTPS those
// without it are not the shop's.
func (rec *Recorder) prefix() string {
	if rec.Secure {
		return "__Host-"
	}
	return ""
}

// ticket is the name of the session's cookie.
func (rec *Recorder) ticket() string { return rec.prefix() + "session" }

func (rec *Recorder) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: rec.prefix() + "xray", Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: rec.Secure, SameSite: http.SameSiteLaxMode,
	})
}

func encode(e *Exchange) string {
	var b bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &b)
	small, _ := flate.NewWriter(text, flate.DefaultCompression) // the level is known
	// A buffer takes everything, and an Exchange has nothing that JSON has not.
	_ = json.NewEncoder(small).Encode(e)
	_ = small.Close()
	_ = text.Close()
	return b.String()
}

// Decode reads the X-ray that came with an answer; nil if none did, because
// the shop is not in demo mode.
func Decode(h http.Header) (*Exchange, error) {
	sent := h.Get(Header)
	if sent == "" {
		return nil, nil
	}
	const most = 1 << 20 // of what a stranger's server may have sent
	text := base64.NewDecoder(base64.StdEncoding, bytes.NewReader([]byte(sent)))
	var e Exchange
	if err := json.NewDecoder(io.LimitReader(flate.NewReader(text), most)).Decode(&e); err != nil {
		return nil, fmt.Errorf("header %s: %w", Header, err)
	}
	return &e, nil
}
