package sessions

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// cookie knows the name and the flags of the ticket's cookie.
//
// Over HTTPS it is called __Host-session: a browser takes a cookie of that
// prefix only with Secure, with Path=/ and without Domain, so that neither a
// plain-http page nor a neighbouring subdomain can plant one (RFC 6265bis,
// section 4.1.3). On plain http, which is for localhost, that prefix and
// Secure are not to be had in every browser.
type cookie struct {
	name   string
	secure bool
}

func newCookie(secure bool) cookie {
	if secure {
		return cookie{name: "__Host-session", secure: true}
	}
	return cookie{name: "session"}
}

// read gives the ID that a request carries, with TicketLive as long as its
// shape is right: whether it names a session, only the store can say.
func (c cookie) read(r *http.Request) (id, Ticket) {
	sent := r.CookiesNamed(c.name)
	switch len(sent) {
	case 0:
		return "", TicketNone
	case 1:
	default:
		return "", TicketRepeated
	}
	id, ok := parseID(sent[0].Value)
	if !ok {
		return "", TicketMalformed
	}
	return id, TicketLive
}

// send hands the visitor a ticket. One to keep outlasts the browser for keep;
// any other has no Max-Age, and ends with the browser. Either way the session
// ends with the server's deadlines, which a client cannot bend.
func (c cookie) send(ctx context.Context, w http.ResponseWriter, i id, keep time.Duration) {
	c.set(ctx, w, string(i), int(keep.Seconds()))
}

// clear tells the browser to drop its ticket.
func (c cookie) clear(ctx context.Context, w http.ResponseWriter) { c.set(ctx, w, "", -1) }

func (c cookie) set(ctx context.Context, w http.ResponseWriter, value string, maxAge int) {
	// One answer sets one ticket: an earlier line for the same cookie goes.
	h := w.Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool {
		return strings.HasPrefix(line, c.name+"=")
	})
	set := &http.Cookie{
		Name:     c.name,
		Value:    value,
		Path:     "/",
		MaxAge:   maxAge,
		HttpOnly: true,                 // no script can read it, so no injected script can steal it
		Secure:   c.secure,             // never in clear text
		SameSite: http.SameSiteLaxMode, // another site's form comes without it; its links come with it
	}
	http.SetCookie(w, set)
	trace(ctx, func(t *Trace) {
		if t.Cookie != nil {
			t.Cookie(ctx, set)
		}
	})
}
